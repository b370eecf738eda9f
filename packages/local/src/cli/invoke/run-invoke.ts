import { LocalFailure } from '../../local-failure.ts';
import { newestRunRecord } from '../../store/runs/run-record.ts';
import type { TextOutput } from '../output.ts';
import { runTrace } from '../trace.ts';
import { batchAnswer } from './batch-answer.ts';

export interface InvokeOptions {
  /** The key in serverless.yml, the name it is deployed under, or an ARN. */
  functionName: string;
  /** JSON text. */
  event: string;
  json: boolean;
  serviceDirectory: string;
  output: TextOutput;
  signal: AbortSignal;
}

/**
 * Delivers one event to a function of the running `sls local`, and shows its answer and its trace.
 * @returns the exit code: 1 when the function failed.
 * @throws LocalFailure when nothing runs, or Lambda refuses the call.
 */
export async function runInvoke(options: InvokeOptions): Promise<number> {
  const { event, json, serviceDirectory, output, signal } = options;
  const { answer, failed, traceId } = await deliver(options);
  const value: unknown = JSON.parse(answer || 'null');
  const batch = failed ? undefined : batchAnswer(JSON.parse(event), value);
  if (json) {
    const report = { answer: value, failed, traceId, ...(batch !== undefined && { batch }) };
    output.write(`${JSON.stringify(report, null, 2)}\n`);
    return failed ? 1 : 0;
  }
  const { plain } = await import('../render/text.ts');
  for (const line of JSON.stringify(value, null, 2).split('\n')) output.write(`${plain(line)}\n`);
  if (batch !== undefined) output.write(`\n${plain(batch)}\n`);
  output.write('\n');
  await runTrace({ id: traceId, serviceDirectory, output, signal });
  return failed ? 1 : 0;
}

/**
 * Delivers one event to a function of the running service by Lambda's Invoke API.
 * @throws LocalFailure when nothing runs, or Lambda refuses the call.
 */
export async function deliver({
  functionName,
  event,
  serviceDirectory,
  signal,
}: Pick<InvokeOptions, 'functionName' | 'event' | 'serviceDirectory' | 'signal'>) {
  const address = (await newestRunRecord(serviceDirectory))?.addresses.lambda;
  if (address === undefined) {
    throw new LocalFailure(`Nothing runs in ${serviceDirectory}. Start it with "npx sls local", then invoke.`);
  }
  const response = await fetch(`${address}/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`, {
    method: 'POST',
    body: event,
    signal,
  }).catch((error: Error) => {
    throw new LocalFailure(`The run at ${address} did not answer: ${error.message}.`);
  });
  const answer = await response.text();
  if (response.status !== 200) throw new LocalFailure(refusalOf(response.status, answer));
  return {
    answer,
    failed: response.headers.has('x-amz-function-error'),
    traceId: /Root=([\w-]+)/.exec(response.headers.get('x-amzn-trace-id') ?? '')?.[1] ?? '',
  };
}

function refusalOf(status: number, body: string): string {
  try {
    const message: unknown = (JSON.parse(body) as { message?: unknown }).message;
    if (typeof message === 'string') return `Lambda answered ${status}: ${message}`;
  } catch {
    // Another server than ours.
  }
  return `Lambda answered ${status}.`;
}
