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

/**
 * Lints every policy of a packaged template by parliament.
 * @returns the number of policies.
 * @throws when parliament finds anything.
 */
export async function lintPolicies(programs: string, template: string): Promise<number> {
  const { Resources } = JSON.parse(readFileSync(template, 'utf8')) as { Resources: Record<string, Role> };
  const roles = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::IAM::Role');
  const policies = roles.flatMap(([id, { Properties }]) =>
    (Properties.Policies ?? []).map(({ PolicyDocument }) => [id, resolved(PolicyDocument)] as const),
  );
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
