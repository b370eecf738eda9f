import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { projectDirectory } from '../sls.ts';

it('leaves out of the rehearsal only tests that exist, each by a name of one test', async () => {
  const { ministack } = JSON.parse(readFileSync(path.join(projectDirectory, 'rehearsal/left-out.json'), 'utf8'));
  const vitest = path.join(projectDirectory, 'node_modules/.bin/vitest');
  const { stdout } = await promisify(execFile)(
    vitest,
    ['list', 'test/acceptance/deployed.test.ts', '--json', '--no-static-parse'],
    {
      cwd: projectDirectory,
      env: { ...process.env, DEPLOYED_URL: 'http://127.0.0.1:1/stage' },
    },
  );
  const names: string[] = JSON.parse(stdout).map(({ name }: { name: string }) => name);
  for (const title of Object.keys(ministack.tests))
    expect(names.filter((name) => name.includes(title))).toEqual([expect.stringContaining(title)]);
});
