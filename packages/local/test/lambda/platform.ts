import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createLambdaPlatform } from '../../src/lambda/index.ts';
import type { InvokeResult, LambdaOptions, LambdaPlatform } from '../../src/lambda/invocation/types.ts';
import type { LocalFunction, LocalService } from '../../src/service/model.ts';
import type { LogRecord, SegmentDocument, TelemetrySink } from '../../src/trace/records.ts';
import type { TraceContext } from '../../src/trace/trace-header.ts';
import { newRoot, newSegmentId } from '../../src/trace/trace-id.ts';

/** The folder of AWS's own runtime client, `aws-lambda-ric`, built for this machine. */
export const awsClient = process.env.AWS_LAMBDA_RIC;

/** Both runtime clients; AWS's is skipped, and says so, where its folder is not named. */
export const runtimeClients = [
  { client: 'the own runtime client', runtimeClient: undefined, missing: false },
  {
    client: awsClient
      ? "AWS's runtime client"
      : "AWS's runtime client (skipped: AWS_LAMBDA_RIC does not name its folder)",
    runtimeClient: awsClient ? [join(awsClient, 'index.mjs')] : undefined,
    missing: awsClient === undefined,
  },
];

export interface Collected extends TelemetrySink {
  logs: LogRecord[];
  segments: SegmentDocument[];
  rejections: string[];
}

/** A sink that keeps what it is given. */
export function collect(): Collected {
  const collected = { logs: [] as LogRecord[], segments: [] as SegmentDocument[], rejections: [] as string[] };
  return {
    ...collected,
    log: (record) => collected.logs.push(record),
    segment: (document) => collected.segments.push(structuredClone(document)),
    rejected: (intake, reason, detail) => collected.rejections.push(`${intake}: ${reason}: ${detail}`),
    span: () => {},
    metric: () => {},
    error: () => {},
  };
}

/**
 * Writes files into a new folder, which is removed after the test. A name that ends in `!` becomes
 * an executable without it.
 */
export async function folder(files: Record<string, string>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lambda-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const file = join(path, name.replace(/!$/, ''));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    if (name.endsWith('!')) await chmod(file, 0o755);
  }
  return path;
}

/** A function `main` whose handler is `app.handler`, 3 s, 256 MB. */
export function lambda(overrides: Partial<LocalFunction> = {}): LocalFunction {
  const key = overrides.key ?? 'main';
  return {
    key,
    name: `service-test-${key}`,
    handler: 'app.handler',
    runtime: 'nodejs24.x',
    memoryMegabytes: 256,
    timeoutSeconds: 3,
    environment: {},
    tracing: 'Active',
    layers: [],
    routes: [],
    ...overrides,
  };
}

export interface Bench {
  platform: LambdaPlatform;
  sink: Collected;
  code: string;
  /**
   * Invokes with a sampled trace of its own, or the one given, and waits until the environment is
   * done with it: then what comes next finds it idle, however busy the machine is. `atOnce` gives
   * the answer when the caller would have it.
   */
  invoke(
    event?: unknown,
    options?: { key?: string; trace?: Partial<TraceContext>; atOnce?: boolean },
  ): Promise<InvokeResult & { value: unknown }>;
  /** The messages of the log, platform's included, in order. */
  messages(): string[];
  /** Waits until the log has a line that matches. */
  logged(pattern: RegExp): Promise<LogRecord>;
}

export interface BenchInput extends Partial<Omit<LambdaOptions, 'service' | 'sink'>> {
  files: Record<string, string>;
  functions?: LocalFunction[];
}

/** A platform with the functions of a folder, stopped after the test. */
export async function bench({ files, functions = [lambda()], ...options }: BenchInput): Promise<Bench> {
  const code = await folder(files);
  const sink = collect();
  const service: LocalService = {
    name: 'service',
    stage: 'test',
    region: 'eu-west-1',
    directory: code,
    functions,
    gateway: { name: 'test-service', tracing: true, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
  };
  const platform = await createLambdaPlatform({
    service,
    sink,
    codeDirectory: async () => code,
    environment: {},
    ...options,
  });
  onTestFinished(() => platform.stop());
  return {
    platform,
    sink,
    code,
    async invoke(event = {}, { key, trace, atOnce } = {}) {
      const result = await platform.invoke(key ?? functions[0]?.key ?? '', {
        payload: JSON.stringify(event),
        trace: { root: newRoot(), parent: newSegmentId(), sampled: true, ...trace },
      });
      const own = (record: LogRecord) => record.requestId === result.requestId;
      if (!atOnce && sink.logs.some(own))
        await until(() => sink.logs.some((record) => own(record) && isReport(record)));
      return { ...result, value: JSON.parse(result.payload) as unknown };
    },
    messages: () => sink.logs.map((record) => record.message),
    logged: (pattern) => until(() => sink.logs.find((record) => pattern.test(record.message))),
  };
}

function isReport({ message }: LogRecord): boolean {
  return message.startsWith('REPORT') || message.includes('"platform.report"');
}

/** Asks again and again until there is something; the test's own time limit ends it. */
export async function until<T>(ask: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process whose parent has not asked for its end is dead all the same.
  return !/^\d+ \(.*\) Z/.test(execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }));
}
