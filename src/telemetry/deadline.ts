import { timeoutReport } from './errors.ts';
import { type RequestState, runIn } from './request.ts';
import { type Staged, sharedShipper } from './shipping.ts';
import { type AnnotationValue, quietly } from './span.ts';

/**
 * So long before the deadline everything is on the wire but for its last byte: time enough for a TLS handshake with a back end far away.
 * Never before half of the time is over.
 */
const stagingMilliseconds = 500;
/**
 * The last byte goes so long before the deadline, or a fortieth of the time where that is less: a handler that finishes before has finished
 * in time, and nobody hears of it.
 */
const releaseMilliseconds = 50;
/** With less than this to begin with, there is no time to say anything. */
const leastMilliseconds = 100;

/** What a timeout comes to. */
export interface Timeout {
  /** What the root span says of the request, in OpenTelemetry, if its time is up. */
  attributes(): Record<string, AnnotationValue>;
  /** Runs when the spans go: what else has to be said, is said there. */
  onTimeout(): void;
}

export interface DeadlineWatch {
  /** The handler is done: takes back what has been staged. */
  finish(): void;
}

/**
 * Watches the time of a request. Lambda kills a function at its deadline, and with it every span that has not been sent; so shortly before,
 * the open spans are sent as they are, marked `timed_out`, with Rollbar's report. They are held on the wire until the last moment, because
 * a span that has been exported cannot be taken back when the handler does finish.
 * @param milliseconds that are left.
 */
export function watchDeadline(request: RequestState, milliseconds: number, timeout: Timeout): DeadlineWatch {
  if (milliseconds < leastMilliseconds || milliseconds > 2 ** 31 - 1) return { finish: () => {} };
  let finished = false;
  let staged: Staged | undefined;
  const staging = setTimeout(
    () => {
      stage(request, milliseconds, timeout)
        .then((result) => {
          if (finished) result.abandon();
          else staged = result;
        })
        .catch(() => {});
    },
    Math.max(milliseconds / 2, milliseconds - stagingMilliseconds),
  ).unref();
  const release = setTimeout(
    () => {
      staged?.release();
      staged = undefined;
      // First: the spans that end now have just been sent.
      if (request.root) sharedShipper().openSpans?.forget(request.root.id);
      quietly(timeout.onTimeout);
    },
    milliseconds - Math.min(releaseMilliseconds, milliseconds / 40),
  ).unref();
  return {
    finish: () => {
      finished = true;
      clearTimeout(staging);
      clearTimeout(release);
      staged?.abandon();
    },
  };
}

async function stage(request: RequestState, milliseconds: number, { attributes }: Timeout): Promise<Staged> {
  const shipper = sharedShipper();
  const { root } = request;
  const mark = { timed_out: true };
  const ofRoot = root && runIn(request, root, () => quietly(attributes));
  const spans = root && shipper.openSpans?.unfinished(root.id, mark, { ...mark, ...ofRoot });
  const report = root && runIn(request, root, () => timeoutReport(request, milliseconds));
  const shipments = [spans, report].filter((shipment) => shipment !== undefined);
  return shipper.stage(shipments, stagingMilliseconds);
}
