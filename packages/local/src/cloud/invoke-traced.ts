import { deliver } from '../cli/invoke/run-invoke.ts';
import { renderOptions } from '../cli/output.ts';
import { line } from '../cli/render/text.ts';
import { findTrace } from '../cli/source/find-trace.ts';
import { openSource } from '../cli/source/open-source.ts';
import { type ExplainedTrace, ExplainedTraces } from '../explain/explained-traces.ts';
import { condense } from '../format/log-line.ts';
import { statusStyle } from '../format/style.ts';
import { duration, timeOfDay } from '../format/time.ts';
import { createLambdaPlatform } from '../lambda/index.ts';
import { forwardTargets } from '../receiver/forward.ts';
import { startReceivers } from '../receiver/server.ts';
import type { LocalService } from '../service/model.ts';
import { buildLayers } from '../service/scripts.ts';
import { withEmf } from '../services/cloudwatch/emf.ts';
import { receiversWith } from '../services/index.ts';
import { startXray } from '../services/xray/index.ts';
import { newestRunRecord } from '../store/runs/run-record.ts';
import { openInvocationRun } from '../store/runs/runs.ts';
import { newRoot } from '../trace/trace-id.ts';
import { localEnvironment } from './endpoint-variables.ts';
import { identityOf, runtimeClientOf, withVariables } from './function-variables.ts';

export interface TracedInvocation {
  service: LocalService;
  functionKey: string;
  /** JSON text. */
  event: string;
  /** The folder that stands for `/var/task`. */
  codeDirectory: string;
  /** `--env`, over everything else. */
  variables: Record<string, string>;
  dynamodb?: string | undefined;
  /** Standard output: the function's answer and nothing else. */
  writeAnswer(text: string): void;
  /** Standard error: what the function logged, how it went, and how to see more. */
  writeLine(text: string): void;
}

interface Delivered {
  /** JSON text. */
  answer: string;
  failed: boolean;
  trace: ExplainedTrace | undefined;
}

/**
 * Invokes one function for `sls invoke local` as on Lambda, with its trace in the run that is going
 * on, or else in a kept run of its own.
 * @returns whether the function failed.
 * @throws {LocalFailure} when the run does not answer, or a layer does not build.
 */
export async function invokeTraced(invocation: TracedInvocation): Promise<boolean> {
  const { service, writeAnswer } = invocation;
  // A function of the run has its own variables, which --env cannot change from outside.
  const isChanged = Object.keys(invocation.variables).length > 0;
  const runs = (await newestRunRecord(service.directory)) !== undefined;
  const { answer, failed, trace } = await (runs && !isChanged ? inTheRun(invocation) : inItsOwnRun(invocation));
  if (trace) writeLines(invocation, trace, runs && isChanged);
  writeAnswer(shown(answer));
  return failed;
}

async function inTheRun({ service, functionKey, event }: TracedInvocation): Promise<Delivered> {
  const { signal } = new AbortController();
  const serviceDirectory = service.directory;
  const { answer, failed, traceId } = await deliver({ functionName: functionKey, event, serviceDirectory, signal });
  const source = await openSource({ serviceDirectory });
  try {
    return { answer, failed, trace: await findTrace(source, traceId) };
  } finally {
    await source.close();
  }
}

async function inItsOwnRun(invocation: TracedInvocation): Promise<Delivered> {
  const { service, functionKey, event, codeDirectory, variables, dynamodb, writeLine } = invocation;
  const lambda = service.functions.find(({ key }) => key === functionKey);
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    await buildLayers(service);
    const store = await openInvocationRun(service.directory);
    stops.push(() => store.close());
    const sink = withEmf(store);
    const xray = await startXray({ port: 0, sink, store, service });
    stops.push(() => xray.stop());
    const forward = forwardTargets(lambda?.environment ?? {});
    const receivers = await startReceivers({ receivers: receiversWith(store), port: 0, sink, forward });
    stops.push(() => receivers.stop());
    const environment = localEnvironment(service, {
      ...(dynamodb !== undefined && { dynamodb }),
      xray: xray.port,
      telemetry: receivers.port,
    });
    // Serverless says so to every function that it invokes on this machine.
    const own = { IS_LOCAL: 'true', ...service.settings.environment, ...(await identityOf(service)), ...variables };
    const platform = await createLambdaPlatform({
      service: withVariables(service, { ...environment, ...own }),
      sink,
      codeDirectory: async () => codeDirectory,
      environment: { ...environment, ...service.settings.environment },
      warn: writeLine,
      ...runtimeClientOf(service),
    });
    stops.push(() => platform.stop());
    const root = newRoot();
    // With `tail` it ends when the extensions are done, so everything has been sent.
    const result = await platform.invoke(functionKey, { payload: event, trace: { root, sampled: true }, tail: true });
    // All but the store: what has arrived is taken before it is read.
    for (const end of stops.splice(1).reverse()) await end();
    await store.flush();
    const trace = await new ExplainedTraces(store).trace(root);
    return { answer: result.payload, failed: result.error !== undefined, trace };
  } finally {
    await stop();
  }
}

function writeLines({ functionKey, writeLine }: TracedInvocation, trace: ExplainedTrace, isApart: boolean): void {
  const { color } = renderOptions(process.stderr);
  // A log may be long, and the terminal wraps it; a pipe has no width.
  const width = process.stderr.isTTY ? Math.max(200, process.stderr.columns) : 2_000;
  for (const log of trace.logs) {
    const { kind, level, style, text } = condense(log);
    if (kind !== 'line') continue;
    const time = `${timeOfDay(log.time)} `;
    writeLine(
      line(
        [
          { text: time, style: 'dim' },
          { text: `${level.padEnd(5)} ${text}`, style },
        ],
        width,
        color,
      ),
    );
  }
  const status = trace.http?.status;
  const took = duration(trace.duration);
  const { sentence } = trace.explanation;
  const pieces = [
    { text: functionKey, style: 'bold' as const },
    ...(status === undefined ? [] : [{ text: ` ${status}`, style: statusStyle(status) }]),
    ...(sentence.startsWith(took) ? [] : [{ text: ` ${took}` }]),
    ...(trace.coldStart ? [{ text: ' cold', style: 'cold' as const }] : []),
    { text: `  ${sentence}` },
  ];
  writeLine(line(pieces, width, color));
  const more = `npx throughline trace ${isApart ? `${trace.id.slice(-8)} --run 1` : '--last'}`;
  const apart = isApart ? '  (a run of its own, as the running one cannot take --env)' : '';
  writeLine(line([{ text: `${trace.xrayId}  ${more}${apart}`, style: 'dim' }], width, color));
}

/** As `sls invoke local` shows an answer: a body of JSON as what it means. */
function shown(answer: string): string {
  const value: unknown = JSON.parse(answer || 'null');
  return JSON.stringify(withReadBody(value), null, 4);
}

function withReadBody(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('body' in value) || !('headers' in value)) return value;
  const { body, headers } = value;
  if (typeof body !== 'string' || typeof headers !== 'object' || headers === null) return value;
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  if (typeof type !== 'string' || !type.startsWith('application/json')) return value;
  try {
    return { ...value, body: JSON.parse(body) as unknown };
  } catch {
    return value;
  }
}
