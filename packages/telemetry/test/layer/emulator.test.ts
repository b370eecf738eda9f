import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SpanRecord } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLayer } from '../../layer/build.ts';
import { type BackEnd, spansOf, startBackEnd } from '../harness/back-end.ts';
import { awsRuntimeClient, bundleHandler, functionOf } from '../harness/lambda-harness.ts';

/**
 * AWS's runtime interface emulator, as AWS distributes it: the part of Lambda that starts, invokes
 * and ends an environment.
 */
const emulator = process.env.AWS_LAMBDA_RIE;

describe.skipIf(!emulator || !awsRuntimeClient)('in AWS’s own emulator of Lambda, a function with this layer', () => {
  let directory: string;
  let otlp: BackEnd;
  let rollbar: BackEnd;
  let running: ChildProcess;
  let api: string;
  let output = '';

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'emulator-'));
    [otlp, rollbar] = await Promise.all([startBackEnd(), startBackEnd()]);
    await buildLayer(path.join(directory, 'layer'));
    await bundleHandler(functionOf({}, ''), path.join(directory, 'code'));
    const bootstrap = path.join(directory, 'bootstrap');
    const client = path.join(awsRuntimeClient ?? '', 'index.mjs');
    await writeFile(bootstrap, `#!/bin/sh\nexec "${directory}/layer/otel-handler" "${process.execPath}" "${client}"\n`);
    await chmod(bootstrap, 0o755);
    const [front = 0, runtime = 0] = await Promise.all([freePort(), freePort()]);
    api = `http://127.0.0.1:${front}/2015-03-31/functions/function/invocations`;
    running = spawn(
      emulator ?? '',
      [
        ...['--runtime-interface-emulator-address', `127.0.0.1:${front}`],
        ...['--runtime-api-address', `127.0.0.1:${runtime}`, bootstrap, 'handlers/probe.handler'],
      ],
      {
        cwd: path.join(directory, 'code'),
        env: {
          PATH: process.env.PATH,
          LAMBDA_TASK_ROOT: path.join(directory, 'code'),
          AWS_LAMBDA_FUNCTION_NAME: 'probe',
          AWS_LAMBDA_FUNCTION_TIMEOUT: '2',
          AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
          AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/probe',
          AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
          OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
          ROLLBAR_ACCESS_TOKEN: 'token',
          ROLLBAR_ENDPOINT: `${rollbar.url}/api/1/item/`,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [running.stdout, running.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
    await listening(front);
  });
  afterAll(async () => {
    running.kill('SIGKILL');
    await Promise.all([otlp.stop(), rollbar.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  const invoke = async (target: string, query: Record<string, string> = {}): Promise<void> => {
    const event = { path: target, resource: target, httpMethod: 'GET', headers: {}, queryStringParameters: query };
    await (await fetch(api, { method: 'POST', body: JSON.stringify(event) })).text();
  };
  // By the route: the emulator has no X-Ray, and so no trace id to ask for.
  const spansOfRoute = async (route: string): Promise<SpanRecord[]> => {
    const spans = await spansOf(otlp.deliveries);
    const root = spans.find(({ attributes }) => attributes['http.route'] === route);
    return spans.filter(({ traceId }) => traceId === root?.traceId);
  };

  it('ships after the answer, tells of a timeout when the time is up, and of none where the handler finishes at the last moment', async () => {
    await invoke('/ok');
    await otlp.received(1);
    expect((await spansOfRoute('/ok')).length).toBeGreaterThan(1);

    await invoke('/slow', { for: '1960' });
    await invoke('/ok');
    expect((await spansOfRoute('/slow')).map(({ status }) => status)).toEqual(['unset']);
    expect(rollbar.deliveries).toEqual([]);

    await invoke('/hang');
    expect((await spansOfRoute('/hang')).map(({ name, attributes }) => [name, attributes.timed_out])).toEqual([
      ['hanging', true],
      ['## handlers/probe.handler', true],
    ]);
    expect(rollbar.deliveries).toHaveLength(1);
    expect(output).toContain('FunctionTimeout');
  }, 30_000);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function listening(port: number): Promise<void> {
  for (;;) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
