import { config } from '../config.ts';
import type { Backend } from '../export/batch-queue.ts';
import { sharedExporter } from '../export/exporter.ts';
import { StoredSecret } from '../export/stored-secret.ts';
import { makeItem, type Subject, toPayload } from './rollbar-item.ts';

/** The content of an item, redacted while the request was running. */
export interface Report extends Subject {
  /** Epoch seconds. */
  timestamp: number;
  context: string | undefined;
  person: { id: string; username: string } | undefined;
  request: { url: string; method: string; headers: Record<string, string> } | undefined;
  custom: Record<string, unknown>;
}

const defaultEndpoint = 'https://api.rollbar.com/api/1/item/';

/** A project access token with the scope post_server_item. */
export const rollbarToken = new StoredSecret({
  tool: 'Rollbar',
  variable: config.rollbarAccessToken,
  parameter: config.rollbarTokenParameter,
  warn: (message) => sharedExporter().warn(message, {}),
});

/**
 * Rollbar's API. Its notifier writes the item (stack, grouping, truncation to what the API accepts)
 * and sends nothing: its own transport waits for an answer without a limit, and the handler with
 * it.
 */
export const rollbar: Backend = {
  name: 'Rollbar',
  unit: 'items',
  recordsPerPost: 1,
  get url() {
    return itemUrl(config.rollbarEndpoint() ?? defaultEndpoint);
  },
  build: async ([payload]) => {
    const token = await rollbarToken.value();
    if (token === undefined) return undefined;
    const headers = { 'content-type': 'application/json', 'x-rollbar-access-token': token };
    return { headers, body: await writeItem(payload as Report) };
  },
  renewKey: () => rollbarToken.renew(),
};

/** Rollbar's clients accept the API's base or the item's own address. */
function itemUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith('/item') ? `${base}/` : `${base}/item/`;
}

/** The deepest cause, then the error that was caught. Rollbar cuts a title at 255 characters. */
function titleOf(reason: string, { name, message }: Error): string {
  return `${reason} (${name}: ${message})`.slice(0, 255);
}

async function writeItem(report: Report): Promise<string> {
  const item = await makeItem(report);
  Object.assign(item, {
    level: report.level,
    timestamp: report.timestamp,
    custom: report.custom,
    ...(report.error?.reason ? { title: titleOf(report.error.reason, report.error) } : {}),
    ...(report.context ? { context: report.context } : {}),
    ...(report.person ? { person: report.person } : {}),
    ...(report.request ? { request: report.request } : {}),
  });
  // The notifier adds its options, and the error once more.
  const { name, version } = (item.notifier ?? {}) as { name?: string; version?: string };
  item.notifier = { name, version };
  return toPayload(item);
}
