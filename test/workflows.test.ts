import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { projectDirectory } from './sls.ts';

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { 'timeout-minutes'?: number; steps: Step[] }>;
}

const folder = path.join(projectDirectory, '.github/workflows');
const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(path.join(folder, name), 'utf8');
  const workflow: Workflow = parse(text);
  return { name, text, workflow, steps: Object.values(workflow.jobs).flatMap(({ steps }) => steps) };
});
const named = (name: string) => {
  const found = workflows.find((workflow) => workflow.name === name);
  if (!found) throw new Error(`There is no workflow ${name}.`);
  return found;
};

describe.each(workflows)('the workflow $name', ({ text, workflow, steps }) => {
  it('pins each action to a commit, with its version in a comment', () => {
    for (const { uses } of steps.filter((step) => step.uses))
      expect(text).toMatch(new RegExp(`uses: ${uses}(?<=@[0-9a-f]{40}) # v\\d+\\.\\d+\\.\\d+$`, 'm'));
  });

  it('may write nothing but an identity token, and ends within a time limit', () => {
    const { contents, 'id-token': idToken = 'write', ...others } = workflow.permissions;
    expect([contents, idToken, others]).toEqual(['read', 'write', {}]);
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  it('puts no input, variable or secret into the text of a script', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  it('runs files that exist', () => {
    for (const { run = '' } of steps)
      for (const [, file = ''] of run.matchAll(/\bbash (\S+)/g))
        expect(existsSync(path.join(projectDirectory, file)), file).toBe(true);
  });
});

describe('the workflow that deploys', () => {
  const { text, steps } = named('deploy.yml');

  it('sets every variable that a complete stage needs', () => {
    const prod = readFileSync(path.join(projectDirectory, 'stages/prod.yml'), 'utf8');
    const required = [...prod.matchAll(/- \{? ?name: (\w+)/g)].map(([, name]) => name);
    expect(required.length).toBeGreaterThan(2);
    for (const name of required) expect(text).toContain(`      ${name}: \${{ vars.${name} }}`);
  });

  it('uses a role that it assumes, and no stored key of AWS', () => {
    expect(text).toContain('role-to-assume:');
    expect(text).not.toMatch(/aws-(access-key-id|secret-access-key)/i);
  });

  it('marks the deploy in Honeycomb after it, if there is a key', () => {
    const deploy = steps.findIndex(({ run }) => run?.startsWith('npx sls deploy'));
    const mark = steps.findIndex(({ run }) => run?.includes('npx throughline honeycomb mark'));
    expect(deploy).toBeGreaterThan(0);
    expect(mark).toBeGreaterThan(deploy);
    expect(Object.keys(steps[mark]?.env ?? {})).toContain('HONEYCOMB_API_KEY');
  });
});
