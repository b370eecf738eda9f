import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyService, projectDirectory, sls } from '../sls.ts';

const fixture = path.join(projectDirectory, 'test', 'fixtures', 'foreign-service');
const python = spawnSync('python3', ['--version']).status === 0;
let service: ReturnType<typeof copyService>;

beforeEach(() => {
  service = copyService(fixture);
});
afterEach(() => service.remove());

const write = (file: string, text: string) => writeFileSync(path.join(service.directory, file), text);

describe('sls invoke local', () => {
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
