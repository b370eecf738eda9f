import { executionModeStandard } from '@middy/core/executionModeStandard';
import type { HttpResponse } from './context/http-event.ts';
import type { RequestEnd, RequestState } from './context/request-context.ts';
import { beginRequest, type MiddyRequest, type TelemetryOptions } from './lifecycle/begin.ts';
import { watchDeadline } from './lifecycle/deadline.ts';
import { finishRequest, timeoutOf } from './lifecycle/finalize.ts';
import { prepareExporter } from './lifecycle/prepare.ts';
import { quietly } from './quietly.ts';
import { runInside } from './signals/span.ts';

export type { TelemetryOptions };

type RunRequest = (request: MiddyRequest, ...rest: unknown[]) => Promise<unknown>;
type ExecutionMode = (core: { middyRequest: unknown; runRequest: RunRequest }, ...rest: unknown[]) => unknown;

/**
 * Adds telemetry around everything that Middy runs: `middy(telemetry()).use(…).handler(…)` or
 * `middy(handler, telemetry()).use(…)`. It is Middy's execution mode rather than a middleware,
 * because Middy skips the `after` of every middleware when one of them answers early, and the rest
 * of the `onError`s when one of those throws.
 *
 * For each request: the subsegment and root span `## <handler>`, the wide event, the metrics, and
 * Rollbar's report of a fault. Returns or throws unchanged whatever the handler returns or throws.
 */
export function telemetry(options: TelemetryOptions = {}): { executionMode: () => void } {
  quietly(prepareExporter);
  const executionMode: ExecutionMode = (core, ...rest) => {
    const runRequest: RunRequest = (request, ...stack) =>
      observe(request, options, () => core.runRequest(request, ...stack));
    return (executionModeStandard as unknown as ExecutionMode)({ ...core, runRequest }, ...rest);
  };
  // Middy's type for an execution mode names neither its parameters nor its result.
  return { executionMode: executionMode as unknown as () => void };
}

async function observe(middy: MiddyRequest, options: TelemetryOptions, run: () => Promise<unknown>): Promise<unknown> {
  const started = performance.now();
  const request = quietly(() => beginRequest(middy, options));
  const root = request?.root;
  if (!request || !root) return run();
  const left = request.deadline === undefined ? Number.POSITIVE_INFINITY : request.deadline - Date.now();
  const watch = watchDeadline(left, timeoutOf(request, root, started));
  let end: RequestEnd;
  let failed = false;
  try {
    const response = await runInside(request, root, run);
    end = { started, response: response as HttpResponse | undefined, thrown: caught(middy, request) };
  } catch (error) {
    failed = true;
    end = { started, response: { statusCode: 500 }, thrown: { value: error } };
  }
  watch.finish();
  await finishRequest(request, end);
  if (failed) throw end.thrown?.value;
  return end.response;
}

/**
 * @returns what a middleware has turned into a response. Middy keeps `undefined` where nothing was
 * thrown, and where that was.
 */
function caught(middy: MiddyRequest, request: RequestState): RequestEnd['thrown'] {
  return middy.error !== undefined || request.reported.has(undefined) ? { value: middy.error } : undefined;
}
