import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LambdaPlatform } from '../../src/lambda/invocation/types.ts';
import { startInvokeApi } from '../../src/lambda/invoke-api/server.ts';
import type { LocalService } from '../../src/service/model.ts';
import { bench, folder, lambda, until } from './platform.ts';

const run = promisify(execFile);
const sdk = createRequire(import.meta.url).resolve('@aws-sdk/client-lambda');
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const cli = spawnSync('aws', ['--version'], { encoding: 'utf8' });
/** Version 1 sends a payload as it is, version 2 takes it for Base64 unless it is told not to. */
const rawPayload = /aws-cli\/1\./.test(cli.stdout) ? [] : ['--cli-binary-format', 'raw-in-base64-out'];

const files = {
  'app.js': `
    exports.echo = async (event, context) => { console.log('echo', event.name); return { event, client: context.clientContext }; };
    exports.fail = async () => { throw new TypeError('no'); };
    exports.call = async (event) => {
      const { LambdaClient, InvokeCommand } = require(${JSON.stringify(sdk)});
      const { Payload } = await new LambdaClient({}).send(new InvokeCommand({ FunctionName: 'service-test-echo', Payload: JSON.stringify(event) }));
      return JSON.parse(Buffer.from(Payload).toString());
    };`,
};

async function api() {
  const functions = [
    ...['echo', 'fail', 'call'].map((key) => lambda({ key, handler: `app.${key}`, timeoutSeconds: 30 })),
    lambda({ key: 'none', handler: 'app.echo', reservedConcurrency: 0 }),
  ];
  let platform: LambdaPlatform | undefined;
  const service = { region: 'eu-west-1', functions } as LocalService;
  const server = await startInvokeApi({ service, port: 0, platform: () => platform });
  onTestFinished(() => server.stop());
  const endpoint = `http://127.0.0.1:${server.port}`;
  const environment = {
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
  const started = await bench({ files, functions, environment });
  platform = started.platform;
  const client = new LambdaClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  const invoke = async (input: InvokeCommandInput) => {
    const { Payload, ...answer } = await client.send(new InvokeCommand(input));
    return { ...answer, payload: Payload?.length ? JSON.parse(Buffer.from(Payload).toString('utf8')) : undefined };
  };
  return { ...started, endpoint, invoke };
}

describe("Lambda's Invoke API, called by AWS's SDK", () => {
  it.each([
    'service-test-echo',
    '123456789012:function:service-test-echo',
    'arn:aws:lambda:eu-west-1:123456789012:function:service-test-echo',
    'arn:aws:lambda:eu-west-1:123456789012:function:service-test-echo:$LATEST',
    'echo',
  ])('answers with what the function returns: %s', async (FunctionName) => {
    const { invoke } = await api();
    const ClientContext = Buffer.from('{ "custom": {"é": 1}\n}').toString('base64');
    const answer = await invoke({ FunctionName, Payload: '{"name":"worf"}', ClientContext });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.payload).toEqual({ event: { name: 'worf' }, client: { custom: { é: 1 } } });
    expect(answer.FunctionError).toBeUndefined();
  });

  it('names an error of the function, and answers with its document', async () => {
    const { invoke } = await api();
    const answer = await invoke({ FunctionName: 'service-test-fail' });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(answer.payload).toMatchObject({ errorType: 'TypeError', errorMessage: 'no' });
  });

  it('returns the end of the log, REPORT included, on request', async () => {
    const { invoke } = await api();
    const { LogResult } = await invoke({ FunctionName: 'service-test-echo', LogType: 'Tail', Payload: '{"name":"x"}' });
    const log = Buffer.from(LogResult ?? '', 'base64').toString('utf8');
    expect(log).toMatch(/^INIT_START .*\nSTART RequestId: .*\n.*\techo x\nEND RequestId: .*\nREPORT RequestId: /s);
  });

  it('answers an event at once, and runs it', async () => {
    const { invoke, logged } = await api();
    const answer = await invoke({
      FunctionName: 'service-test-echo',
      InvocationType: 'Event',
      Payload: '{"name":"later"}',
    });
    expect(answer).toMatchObject({ StatusCode: 202, payload: undefined });
    await logged(/echo later/);
  });

  it('runs nothing for a dry run', async () => {
    const { invoke, sink } = await api();
    expect(await invoke({ FunctionName: 'service-test-echo', InvocationType: 'DryRun' })).toMatchObject({
      StatusCode: 204,
    });
    expect(sink.logs).toEqual([]);
  });

  it('refuses what Lambda refuses, under its names', async () => {
    const { invoke } = await api();
    const refused = async (input: InvokeCommandInput) => {
      const error = await invoke(input).catch((thrown: Error & { $metadata: { httpStatusCode: number } }) => thrown);
      return error instanceof Error ? [error.name, error.$metadata.httpStatusCode] : 'answered';
    };
    const FunctionName = 'service-test-echo';
    expect(await refused({ FunctionName: 'service-test-other' })).toEqual(['ResourceNotFoundException', 404]);
    expect(await refused({ FunctionName, Qualifier: '7' })).toEqual(['ResourceNotFoundException', 404]);
    expect(await refused({ FunctionName: 'a b' })).toEqual(['InvalidParameterValueException', 400]);
    expect(await refused({ FunctionName, Payload: 'no JSON' })).toEqual(['InvalidRequestContentException', 400]);
    expect(await refused({ FunctionName: 'service-test-none' })).toEqual(['TooManyRequestsException', 429]);
    const large = { FunctionName, InvocationType: 'Event', Payload: `"${'x'.repeat(1024 * 1024)}"` } as const;
    expect(await refused(large)).toEqual(['RequestTooLargeException', 413]);
  });

  it('joins functions that call each other in one trace', async () => {
    const { invoke, sink } = await api();
    expect((await invoke({ FunctionName: 'service-test-call', Payload: '{"name":"x"}' })).payload.event).toEqual({
      name: 'x',
    });
    await until(() => sink.logs.filter(({ message }) => message.startsWith('REPORT')).length === 2);
    const functions = sink.segments.filter(({ origin, end_time }) => origin === 'AWS::Lambda::Function' && end_time);
    const caller = functions.find(({ name }) => name === 'service-test-call');
    const called = sink.segments.find(({ name, origin }) => name === 'service-test-echo' && origin === 'AWS::Lambda');
    expect(called).toMatchObject({ trace_id: caller?.trace_id, parent_id: caller?.id });
  });
});

describe("Lambda's Invoke API", () => {
  it.skipIf(cli.status !== 0)("answers AWS's CLI (skipped where there is no aws)", async () => {
    const { endpoint } = await api();
    const directory = await folder({});
    const output = path.join(directory, 'out.json');
    const { stdout } = await run(
      'aws',
      [
        ...[
          'lambda',
          'invoke',
          '--endpoint-url',
          endpoint,
          '--function-name',
          'service-test-echo',
          '--log-type',
          'Tail',
        ],
        ...rawPayload,
        ...['--payload', '{"name":"cli"}', '--region', 'eu-west-1', output],
      ],
      { env: { ...process.env, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' } },
    );
    expect(JSON.parse(stdout)).toMatchObject({ StatusCode: 200, LogResult: expect.any(String) });
    expect(JSON.parse(await readFile(output, 'utf8'))).toMatchObject({ event: { name: 'cli' } });
  });

  it('answers no web page, and no other host', async () => {
    const { endpoint } = await api();
    const url = `${endpoint}/2015-03-31/functions/service-test-echo/invocations`;
    expect((await fetch(url, { method: 'POST', headers: { Origin: 'https://example.com' } })).status).toBe(403);
    const status = await new Promise((resolve) => {
      request(url, { method: 'POST', headers: { Host: 'rebound.example' } }, (answer) =>
        resolve(answer.statusCode),
      ).end();
    });
    expect(status).toBe(403);
  });
});
