import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import event from '../../events/home/ok.json' with { type: 'json' };
import { awsRuntimeClient } from '../../packages/telemetry/test/harness/lambda-harness.ts';
import { median } from '../statistics.ts';
import type { BackEnds } from './back-ends.ts';

/** One execution environment: what a variant needs, and what the function talks to. */
export interface EnvironmentOptions {
  /** Stands for `/var/task`; its handler is `handlers/home.handler`. */
  taskRoot: string;
  /** The folder of a layer with an `otel-handler`. */
  layer?: string | undefined;
  variables?: Record<string, string>;
  backEnds: BackEnds;
  /** Requests after the first. The first ten of them compile, and count for nothing. */
  warmRequests: number;
}

/** Milliseconds; processor time is that of all threads. */
export interface Measurement {
  /** From the start of the process to the first `/next`. */
  init: number;
  initProcessor: number;
  first: number;
  warm: number;
  /** From one `/next` to the following, so with what is done after the answer. */
  warmProcessor: number;
  queries: number;
}

const warmUp = 10;
const limitMilliseconds = 120_000;
const localClient = path.join(import.meta.dirname, '../../packages/local/src/lambda/runtime/index.cjs');
const client = awsRuntimeClient ? path.join(awsRuntimeClient, 'index.mjs') : localClient;

/** Which runtime client loads the functions. */
export const clientName = awsRuntimeClient ? 'aws-lambda-ric, AWS’s own' : 'the one of this project';

/**
 * Runs one environment from its start: Lambda's Runtime and Extensions APIs around a process that
 * serves `home`.
 * @throws when the function fails, ends by itself, or takes two minutes.
 */
export async function measure(options: EnvironmentOptions): Promise<Measurement> {
  const { backEnds, warmRequests } = options;
  const answered: number[] = [];
  const turns: ((error?: Error) => void)[] = [];
  let runtime: ServerResponse | undefined;
  let extension: ServerResponse | undefined;
  let isRegistered = false;
  let invoked = 0;
  const wake = (): void => {
    if (runtime && (!isRegistered || extension)) turns.shift()?.();
  };
  const fail = (error: Error): void => turns.shift()?.(error);
  const server = http.createServer((request, response) => {
    const url = request.url ?? '';
    if (url.endsWith('/invocation/next')) runtime = response;
    else if (url.endsWith('/event/next')) extension = response;
    else {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (url.endsWith('/extension/register')) isRegistered = true;
        else answered.push(performance.now() - invoked);
        const text = Buffer.concat(chunks).toString();
        if (url.endsWith('/error') || (url.endsWith('/response') && !text.includes('"statusCode":200')))
          fail(new Error(`The function failed: ${text.slice(0, 400)}`));
        response.writeHead(200, { 'lambda-extension-identifier': randomUUID(), 'content-length': 2 }).end('{}');
      });
    }
    wake();
  });
  server.requestTimeout = 0;
  server.keepAliveTimeout = limitMilliseconds;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const isIdle = (): Promise<void> =>
    new Promise((resolve, reject) => {
      turns.push((error) => (error ? reject(error) : resolve()));
      wake();
    });
  const started = performance.now();
  const child = start(options, (server.address() as AddressInfo).port);
  child.once('exit', (code) => fail(new Error(`The process ended with ${code}.`)));
  const limit = setTimeout(() => fail(new Error('The function takes too long.')), limitMilliseconds);
  try {
    await isIdle();
    const init = performance.now() - started;
    const initProcessor = processorTime(child);
    const queries = backEnds.received.queries;
    let warmFrom = Number.NaN;
    for (let request = 0; request <= warmRequests; request += 1) {
      if (request === warmUp + 1) warmFrom = processorTime(child);
      const [toRuntime, toExtension] = [runtime, extension];
      runtime = undefined;
      extension = undefined;
      invoked = performance.now();
      invoke(toRuntime, toExtension);
      await isIdle();
    }
    return {
      init,
      initProcessor,
      first: answered[0] ?? Number.NaN,
      warm: median(answered.slice(warmUp + 1)),
      warmProcessor: (processorTime(child) - warmFrom) / (warmRequests - warmUp),
      queries: (backEnds.received.queries - queries) / (warmRequests + 1),
    };
  } finally {
    clearTimeout(limit);
    child.removeAllListeners('exit').kill('SIGKILL');
    server.closeAllConnections();
    server.close();
  }
}

function start({ taskRoot, layer, variables, backEnds }: EnvironmentOptions, port: number): ChildProcess {
  const program = [process.execPath, client, 'handlers/home.handler'];
  const [command = '', ...rest] = layer ? [path.join(layer, 'otel-handler'), ...program] : program;
  return spawn(command, rest, {
    cwd: taskRoot,
    stdio: 'ignore',
    env: {
      ...functionVariables(backEnds.url),
      AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
      LAMBDA_TASK_ROOT: taskRoot,
      AWS_XRAY_DAEMON_ADDRESS: backEnds.daemon,
      ...variables,
    },
  });
}

/** What Lambda and serverless.yml set for `home`. */
export function functionVariables(backEnds: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    _HANDLER: 'handlers/home.handler',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_LAMBDA_FUNCTION_NAME: 'cruddur-dev-home',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/cruddur-dev-home',
    AWS_LAMBDA_LOG_STREAM_NAME: 'stream',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    AWS_ENDPOINT_URL_DYNAMODB: backEnds,
    TABLE_NAME: 'cruddur-dev',
    FRONTEND_URL: 'http://127.0.0.1:4000',
    CURSOR_SECRET: 'x'.repeat(32),
    STAGE: 'dev',
    RELEASE: 'abc1234',
    POWERTOOLS_SERVICE_NAME: 'cruddur',
    POWERTOOLS_METRICS_NAMESPACE: 'Cruddur',
    OTEL_SERVICE_NAME: 'cruddur',
    OTEL_EXPORTER_OTLP_ENDPOINT: backEnds,
    ROLLBAR_ENDPOINT: `${backEnds}/api/1/item/`,
  };
}

/** Gives one request to the runtime, and to the extension the event that announces it. */
function invoke(runtime: ServerResponse | undefined, extension: ServerResponse | undefined): void {
  const requestId = randomUUID();
  const deadlineMs = Date.now() + 10_000;
  const root = `1-${randomBytes(4).toString('hex')}-${randomBytes(12).toString('hex')}`;
  extension?.end(JSON.stringify({ eventType: 'INVOKE', requestId, deadlineMs }));
  runtime
    ?.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': requestId,
      'lambda-runtime-deadline-ms': String(deadlineMs),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:123456789012:function:cruddur-dev-home',
      'lambda-runtime-trace-id': `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=1`,
    })
    .end(JSON.stringify(event));
}

/** @returns the milliseconds of processor time that a process has taken, where Linux tells. */
function processorTime({ pid }: ChildProcess): number {
  try {
    // After the name in parentheses: utime and stime are the 12th and 13th, in hundredths.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}
