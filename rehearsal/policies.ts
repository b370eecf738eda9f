import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

interface Role {
  Type: string;
  Properties: { Policies?: { PolicyDocument: unknown }[] };
}

const known: Record<string, string> = {
  'AWS::Partition': 'aws',
  'AWS::Region': 'us-east-1',
  'AWS::AccountId': '123456789012',
  'Table.Arn': 'arn:aws:dynamodb:us-east-1:123456789012:table/cruddur-prod',
};

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: string | string[];
}

/** Actions that IAM grants on all resources or on none. */
const withoutResource = /^xray:Put(TraceSegments|TelemetryRecords)$/;

/**
 * Finds grants that are wider than any function here needs; parliament accepts them.
 * @param statements of a policy whose functions of CloudFormation are resolved.
 * @returns a sentence for each wildcard among the actions, and for each action on all resources.
 */
export function tooWide(statements: readonly Statement[]): string[] {
  return statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => {
        if (action.includes('*')) return [`allows ${action}`];
        const onAll = [Resource].flat().includes('*') && !withoutResource.test(action);
        return onAll ? [`allows ${action} on every resource`] : [];
      }),
    );
}

/**
 * Checks every policy of a packaged template: by parliament, and for wildcards.
 * @returns the number of policies.
 * @throws when either finds anything.
 */
export async function lintPolicies(programs: string, template: string): Promise<number> {
  const { Resources } = JSON.parse(readFileSync(template, 'utf8')) as { Resources: Record<string, Role> };
  const roles = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
  const policies = roles.flatMap(([id, { Properties }]) =>
    (Properties.Policies ?? []).map(({ PolicyDocument }) => [id, resolved(PolicyDocument)] as const),
  );
  for (const [id, policy] of policies) {
    const wide = tooWide((policy as { Statement: Statement[] }).Statement);
    if (wide.length > 0) throw new Error(`${id} ${wide.join(', ')}`);
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'throughline-policies-'));
  try {
    for (const [id, policy] of policies) await writeFile(path.join(folder, `${id}.json`), JSON.stringify(policy));
    const { stdout } = await promisify(execFile)(path.join(programs, 'parliament'), ['--directory', folder]).catch(
      (error) => Promise.resolve({ stdout: `${error.stdout}${error.stderr}` }),
    );
    if (stdout.trim() !== '') throw new Error(`parliament: ${stdout}`);
    return policies.length;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves the functions of CloudFormation that policies use. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const { 'Fn::Sub': sub, 'Fn::GetAtt': attribute } = value as Record<string, unknown>;
  if (typeof sub === 'string') return sub.replace(/\$\{([^}]+)\}/g, (_, name: string) => known[name] ?? name);
  if (Array.isArray(attribute)) return known[attribute.join('.')] ?? attribute.join('.');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}
