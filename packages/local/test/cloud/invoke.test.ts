import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyService, projectDirectory, sls, startSlsLocal } from '../../../../test/sls.ts';

const fixture = path.join(import.meta.dirname, '..', 'fixtures', 'foreign-service');
const python = spawnSync('python3', ['--version']).status === 0;
let service: ReturnType<typeof copyService>;

beforeEach(() => {
  service = copyService(fixture);
});
afterEach(() => service.remove());

const write = (file: string, text: string) => writeFileSync(path.join(service.directory, file), text);

const throughline = (...args: string[]) => {
  const program = path.join(projectDirectory, 'packages', 'local', 'bin', 'throughline.js');
  const conditions = '--conditions=throughline-source';
  const { stdout, stderr, status } = spawnSync(process.execPath, [conditions, program, ...args], {
    cwd: service.directory,
    encoding: 'utf8',
  });
  return { stdout, stderr, status };
};
const lastTrace = (...args: string[]) => JSON.parse(throughline('trace', '--json', ...args).stdout);

describe('sls invoke local', () => {
  it('prints the answer alone to standard output, and log lines, the sentence and the way on beside it', async () => {
    write(
      'functions/shop.js',
      "exports.handler = async () => { console.log('weighed', 3); return { statusCode: 201 }; };",
    );
    const ended = await sls(service.directory, ['invoke', 'local', '-f', 'shop']);
    expect(ended).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.stdout)).toEqual({ statusCode: 201 });
    expect(ended.stderr).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}weighed 3$/m);
    expect(ended.stderr).toMatch(/^shop .*Init \(cold start\)/m);
    expect(ended.stderr).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24} {2}npx throughline trace --last$/m);
  });

  it('leaves its trace in a kept run of its own, which invocations one after another share', async () => {
    write('functions/shop.js', "exports.handler = async ({ item }) => { throw new Error('no ' + item); };");
    const first = await sls(service.directory, ['invoke', 'local', '-f', 'shop', '-d', '{"item":"tea"}']);
    expect(first).toMatchObject({ code: 1, stdout: expect.stringContaining('"errorMessage": "no tea"') });
    expect(throughline('trace', '--last')).toMatchObject({ status: 0, stdout: expect.stringContaining('no tea') });
    const trace = lastTrace('--last');
    expect(first.stderr).toContain(trace.xrayId);
    expect(trace.logs.map(({ message }: { message: string }) => message)).toContainEqual(
      expect.stringMatching(/^REPORT RequestId/),
    );
    await sls(service.directory, ['invoke', 'local', '-f', 'shop', '-d', '{"item":"salt"}']);
    expect(lastTrace()).toHaveLength(2);
  });

  it('leaves its trace in the run that is going on, or apart where --env makes it another function', async () => {
    write('functions/shop.js', 'exports.handler = async () => process.env.GREETING;');
    const running = await startSlsLocal(service.directory);
    try {
      const inside = await sls(service.directory, ['invoke', 'local', '-f', 'shop']);
      expect(inside).toMatchObject({ code: 0, stdout: '"hello"\n' });
      expect(inside.stderr).toContain(lastTrace('--last').xrayId);
      const apart = await sls(service.directory, ['invoke', 'local', '-f', 'shop', '-e', 'GREETING=hi']);
      expect(apart).toMatchObject({ code: 0, stdout: '"hi"\n' });
      const id = /npx throughline trace (\w{8}) --run 1/.exec(apart.stderr)?.[1];
      expect(lastTrace(String(id), '--run', '1').id).toMatch(new RegExp(`${id}$`));
      expect(lastTrace()).toHaveLength(1);
    } finally {
      await running.stop();
    }
  });

  it('says that there is no trace where Serverless has to run the function', async () => {
    const ended = await sls(service.directory, ['invoke', 'local', '-f', 'shop', '--context', '{}', '-d', '{}']);
    expect(ended.stderr).toContain(
      'There will be no trace of this invocation: Serverless runs it, because of --context.',
    );
  });

  it('sets the variables that refer to the template as sls local does, and asks nobody', async () => {
    write('functions/shop.js', 'exports.handler = async () => ({ ...process.env });');
    const ended = await sls(service.directory, ['invoke', 'local', '-f', 'shop', '-e', 'GREETING=hi']);
    expect(ended).toMatchObject({ code: 0 });
    expect(JSON.parse(ended.stdout)).toMatchObject({
      TABLE_ARN: expect.stringMatching(/^arn:aws:dynamodb:eu-west-1:123456789012:table\/.+-dev-stock$/),
      STAGE: 'dev',
      PLACE: 'laptop',
      GREETING: 'hi',
    });
  });

  it.skipIf(!python)(
    'leaves a function in Python to Serverless, beside its tables (skipped without python3)',
    async () => {
      const template = readFileSync(path.join(service.directory, 'serverless.yml'), 'utf8');
      const tea = 'functions:\n  tea:\n    handler: tea.main\n    runtime: python3.13\n';
      write('serverless.yml', template.replace('functions:\n', tea));
      write('tea.py', 'import os\ndef main(event, context): return {"arn": os.environ["TABLE_ARN"]}\n');
      const ended = await sls(service.directory, ['invoke', 'local', '-f', 'tea']);
      expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('arn:aws:dynamodb:eu-west-1:') });
    },
  );
});
