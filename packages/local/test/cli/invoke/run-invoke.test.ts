import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { batchAnswer } from '../../../src/cli/invoke/batch-answer.ts';
import { sampleEvents } from '../../../src/cli/invoke/sample-events.ts';
import { main } from '../../../src/cli/main.ts';
import type { LambdaPlatform } from '../../../src/lambda/invocation/types.ts';
import { startInvokeApi } from '../../../src/lambda/invoke-api/server.ts';
import type { LocalService } from '../../../src/service/model.ts';
import { writeRunRecord } from '../../../src/store/runs/run-record.ts';
import { bench, folder, lambda } from '../../lambda/platform.ts';

const sampleFiles = {
  'app.js': `
    exports.echo = async (event) => event;
    exports.fail = async () => { throw new TypeError('no'); };
    exports.worker = async ({ Records }) => ({ batchItemFailures: [{ itemIdentifier: Records[1].messageId }] });`,
};

async function throughline(directory: string, ...argv: string[]) {
  const written = { output: '', errors: '' };
  const output = {
    write: (text: string) => {
      written.output += text;
    },
  };
  const errorOutput = {
    write: (text: string) => {
      written.errors += text;
    },
  };
  const code = await main(argv, { cwd: directory, output, errorOutput });
  return { code, ...written };
}

/** A service whose functions run, and whose run has been written down. */
async function running(): Promise<string> {
  const directory = await folder({ 'serverless.yml': 'service: shop\n', 'event.json': '{"from":"a file"}' });
  const functions = ['echo', 'fail', 'worker'].map((key) => lambda({ key, handler: `app.${key}` }));
  let platform: LambdaPlatform | undefined;
  const service = { region: 'eu-west-1', functions } as LocalService;
  const api = await startInvokeApi({ service, port: 0, platform: () => platform });
  onTestFinished(() => api.stop());
  ({ platform } = await bench({ files: sampleFiles, functions }));
  const runs = path.join(directory, '.throughline/runs');
  await mkdir(runs, { recursive: true });
  await writeFile(path.join(runs, '1.duckdb'), '');
  onTestFinished(await writeRunRecord(path.join(runs, '1.duckdb'), { lambda: `http://127.0.0.1:${api.port}` }));
  return directory;
}

describe('throughline invoke', () => {
  it('delivers the event of a file, and prints the answer and its trace ID', async () => {
    const directory = await running();
    const { code, output } = await throughline(
      directory,
      'invoke',
      'echo',
      path.join(directory, 'event.json'),
      '--json',
    );
    expect(code).toBe(0);
    expect(JSON.parse(output)).toEqual({
      answer: { from: 'a file' },
      failed: false,
      traceId: expect.stringMatching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/),
    });
  });

  it('delivers a sample, and says which records of the batch would come again', async () => {
    const { code, output } = await throughline(await running(), 'invoke', 'worker', '--event', 'sqs', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output).batch).toMatch(/^1 of 2 records succeeded\. Lambda would send [0-9a-f-]{36} again\.$/);
  });

  it('exits with 1 when the function fails', async () => {
    const { code, output } = await throughline(await running(), 'invoke', 'fail', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ failed: true, answer: { errorType: 'TypeError' } });
  });

  it('says in one sentence what is wrong with its command line, its file, or the run', async () => {
    const idle = await folder({ 'serverless.yml': 'service: shop\n', 'bad.json': '{' });
    expect(await throughline(idle, 'invoke')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/takes a function/),
    });
    expect(await throughline(idle, 'invoke', 'a', path.join(idle, 'bad.json'))).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/bad\.json is not valid JSON/),
    });
    expect(await throughline(idle, 'invoke', 'a', '--event', 'sqq')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/Did you mean "sqs"\?/),
    });
    expect(await throughline(idle, 'invoke', 'a')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^Nothing runs/),
    });
    expect(await throughline(await running(), 'invoke', 'other')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/Function not found/),
    });
  });

  it.each([...Object.keys(sampleEvents), 'stream'])('prints a sample of %s to edit', async (kind) => {
    const idle = await folder({ 'serverless.yml': 'service: shop\n' });
    const { code, output } = await throughline(idle, 'invoke', 'a', '--event', kind, '--print');
    expect(code).toBe(0);
    expect(Object.keys(JSON.parse(output)).length).toBeGreaterThan(0);
  });
});

describe('the answer to a batch', () => {
  const sqs = { Records: [{ messageId: 'a' }, { messageId: 'b' }, { messageId: 'c' }] };
  const kinesis = { Records: ['1', '2', '3'].map((sequenceNumber) => ({ kinesis: { sequenceNumber } })) };
  const failing = (...ids: unknown[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

  it.each([
    [
      'names the messages that come again',
      sqs,
      failing('c', 'a', 'c'),
      '1 of 3 records succeeded. Lambda would send c, a again.',
    ],
    ['takes an empty list for success', sqs, failing(), 'All 3 records succeeded.'],
    ['takes null for success', sqs, { batchItemFailures: null }, 'All 3 records succeeded.'],
    [
      'fails the whole batch for an id that is not in it',
      sqs,
      failing('x'),
      /fails all 3 records, since itemIdentifier "x" is not one of them/,
    ],
    ['fails the whole batch for an empty id', sqs, failing(''), /fails all 3 records/],
    ['fails the whole batch for a failure without an id', sqs, { batchItemFailures: [{}] }, /fails all 3 records/],
    [
      'goes back to the first failure of a stream',
      kinesis,
      failing('3', '2'),
      /^1 of 3 records succeeded\. .* record 2 and all after it/,
    ],
  ])('%s', (_title, event, answer, expected) => {
    expect(batchAnswer(event, answer)).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    );
  });

  it('is absent when the answer does not mention records', () => {
    expect(batchAnswer(sqs, undefined)).toBeUndefined();
    expect(batchAnswer({ name: 'x' }, failing('a'))).toBeUndefined();
  });
});
