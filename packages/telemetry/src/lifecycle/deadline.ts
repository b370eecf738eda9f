import { config } from '../config.ts';
import { sharedExporter } from '../export/exporter.ts';
import { quietly } from '../quietly.ts';

/**
 * How long before the deadline the report and the connections are prepared: enough for a TLS
 * handshake with a distant back end. Never before half of the time is over.
 */
const preparingMilliseconds = 500;
/**
 * How long before the deadline the open spans end and are sent, or a fortieth of the time where
 * that is less. On two cores under a load of 9 they had left in 11 of 12 timeouts when the process
 * was killed at the deadline, and Rollbar's report in 10.
 */
const aheadMilliseconds = 15;
/** With less time than this, nothing could be sent. */
const leastMilliseconds = 100;
/** The platform may have started its clock this much earlier. */
const clockTolerance = 100;

/** Callbacks for a request that runs out of time. */
export interface Timeout {
  /** Builds the report ahead of time. */
  prepare(): void;
  /** Ends the open spans; what that queues is sent at once. */
  endSpans(): void;
  /** Raises the alarm: the log's line, the metrics, Rollbar's report. */
  tell(): void;
}

export interface DeadlineWatch {
  /** The handler is done. */
  finish(): void;
}

/**
 * Watches the time of a request. Lambda kills a function at its deadline, and with it every span
 * that has not been sent, so they are sent shortly before.
 *
 * The alarm waits for the deadline itself where the platform announces it. Lambda sends SIGTERM to
 * an environment that has an extension and gives it 300 ms or more, on a timeout too; a handler
 * that finishes at the last moment raises no alarm there, though its spans are marked. Elsewhere
 * the alarm goes with the spans, and a handler that finishes after that counts as timed out.
 * Source: "Understanding the Lambda execution environment lifecycle", Shutdown phase; tried with
 * AWS's runtime interface emulator.
 * @param milliseconds that are left.
 */
export function watchDeadline(milliseconds: number, timeout: Timeout): DeadlineWatch {
  if (milliseconds < leastMilliseconds || milliseconds > 2 ** 31 - 1) return { finish: () => {} };
  const exporter = sharedExporter();
  const due = performance.now() + milliseconds;
  const ahead = Math.min(aheadMilliseconds, milliseconds / 40);
  const isAnnounced = exporter.isExtension && config.initializationType() !== undefined;
  const preparing = setTimeout(
    () => {
      quietly(() => exporter.prepare());
      quietly(timeout.prepare);
    },
    Math.max(milliseconds / 2, milliseconds - preparingMilliseconds),
  ).unref();
  const ending = setTimeout(() => {
    quietly(timeout.endSpans);
    if (!isAnnounced) quietly(timeout.tell);
    void exporter.queue.flush(ahead);
  }, milliseconds - ahead).unref();
  const onAnnouncement = (): void => {
    // An environment may end for other reasons: a laptop's Ctrl-C.
    if (performance.now() < due - clockTolerance) return;
    stop();
    quietly(timeout.endSpans);
    quietly(timeout.tell);
  };
  if (isAnnounced) exporter.endings.add(onAnnouncement);

  function stop(): void {
    clearTimeout(preparing);
    clearTimeout(ending);
    exporter.endings.delete(onAnnouncement);
  }
  return {
    finish: () => {
      stop();
      quietly(() => exporter.queue.unprepare());
    },
  };
}
