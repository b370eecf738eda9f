import { createHash } from 'node:crypto';
import { type Reading, resolvedText } from '../reading.ts';
import type { LocalApiKey, LocalUsagePlan } from './api-model.ts';

interface UsagePlan {
  throttle?: { burstLimit?: number; rateLimit?: number };
  quota?: { limit?: number; period?: string; offset?: number };
}

interface ApiKey {
  name?: unknown;
  value?: unknown;
  enabled?: boolean;
}

const period = (text: string | undefined): 'DAY' | 'WEEK' | 'MONTH' =>
  text === 'DAY' || text === 'WEEK' ? text : 'MONTH';

function readPlan(name: string, { throttle, quota }: UsagePlan): LocalUsagePlan {
  return {
    name,
    ...(throttle ? { throttle: { burstLimit: throttle.burstLimit ?? 0, rateLimit: throttle.rateLimit ?? 0 } } : {}),
    ...(quota ? { quota: { limit: quota.limit ?? 0, period: period(quota.period), offset: quota.offset ?? 0 } } : {}),
  };
}

/**
 * @returns the plans of `provider.apiGateway.usagePlan`; one named `default` where there is no list
 * of them.
 */
export function readUsagePlans({ serverless }: Reading): LocalUsagePlan[] {
  const given = serverless.service.provider.apiGateway?.usagePlan as
    | UsagePlan
    | Record<string, UsagePlan>[]
    | undefined;
  if (!Array.isArray(given)) return [readPlan('default', given ?? {})];
  return given.flatMap((one) => Object.entries(one).map(([name, plan]) => readPlan(name, plan)));
}

/**
 * Reads the keys that a `private: true` route takes. Where serverless.yml names a key without its
 * value, AWS makes the value up; here it follows from the service and the name, so that it stays
 * the same from run to run, and the start shows it.
 */
export function readApiKeys(plans: LocalUsagePlan[], reading: Reading): LocalApiKey[] {
  const { serverless, warnings } = reading;
  const { apiGateway, apiKeys: older = [] } = serverless.service.provider;
  const given = [...(apiGateway?.apiKeys ?? []), ...older, ...templateKeys(reading)];
  const chosen = (serverless.service.custom?.local?.apiKeys ?? {}) as Record<string, string>;
  const planNames = new Set(plans.map(({ name }) => name));
  const entries = given.flatMap((entry): [plan: string, key: unknown][] => {
    const [only] = entry !== null && typeof entry === 'object' ? Object.entries(entry) : [];
    if (only && planNames.has(only[0]) && Array.isArray(only[1])) return only[1].map((key) => [only[0], key]);
    return [['default', entry]];
  });
  return entries.map(([plan, entry], index) => {
    const key: ApiKey = entry !== null && typeof entry === 'object' ? entry : { name: entry };
    const name = resolvedText(key.name, reading) ?? `key ${index + 1}`;
    // An empty value is not a key: it would let requests with an empty header pass.
    const known = chosen[name] || resolvedText(key.value, reading) || undefined;
    const value = known ?? madeUp(`${serverless.service.service}/${serverless.getProvider('aws').getStage()}/${name}`);
    if (known === undefined) {
      warnings.push(
        `API key "${name}" is ${value} here: AWS makes its value up. custom.local.apiKeys sets another for a local run`,
      );
    }
    return { name, value, enabled: key.enabled !== false, generated: known === undefined, plan };
  });
}

/** @returns the keys that `resources` defines; their usage plans are not known here. */
function templateKeys({ context }: Reading): ApiKey[] {
  return Object.entries(context.resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
    if (Type !== 'AWS::ApiGateway::ApiKey') return [];
    const { Name = logicalId, Value, Enabled } = Properties;
    return [{ name: Name, value: Value, enabled: Enabled === true || Enabled === 'true' }];
  });
}

/** @returns 40 letters and digits, the length of the keys that AWS makes up. */
function madeUp(seed: string): string {
  const digest = BigInt(`0x${createHash('sha256').update(seed).digest('hex')}`);
  return digest.toString(36).padStart(40, '0').slice(-40);
}
