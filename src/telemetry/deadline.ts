import { config } from '../config.ts';
import { sharedShipper } from './shipping.ts';
import { quietly } from './span.ts';

/**
 * So long before the deadline everything is made ready that the last words need, connections too: time enough for a TLS handshake with a
 * back end far away. Never before half of the time is over.
 */
const preparingMilliseconds = 500;
/**
 * So long before the deadline the open spans end and are sent, or a fortieth of the time before it where that is less. On two cores under a
 * load of 9 they had left in 11 of 12 timeouts when the process was killed at the deadline, and Rollbar's report in 10.
 */
const aheadMilliseconds = 15;
/** With less than this to begin with, there is no time to say anything. */
const leastMilliseconds = 100;
/** Whoever ends the environment may have started its clock so much earlier. */
const clockTolerance = 100;

/** What is said of a request whose time is up. */
export interface Timeout {
  /** There is little time left: makes what can be made already. */
  prepare(): void;
  /** Ends the open spans; what that has queued is sent at once. */
  endSpans(): void;
  /** Raises the alarm: the log's line, the metrics, Rollbar's report. */
  tell(): void;
}

export interface DeadlineWatch {
  /** The handler is done. */
  finish(): void;
}

/**
 * Watches the time of a request. Lambda kills a function at its deadline, and with it every span that has not been sent: so they are sent
 * shortly before.
 *
 * The alarm waits for the deadline itself, where somebody announces it. Lambda sends SIGTERM to an environment that has an extension and
 * gives it 300 ms or more, also when a time is up; a handler that finishes at the last moment raises no alarm there, though its spans are
 * marked. Elsewhere the alarm goes with the spans, and a handler that finishes after that is taken for one that does not.
 * Source: "Understanding the Lambda execution environment lifecycle", Shutdown phase; tried with AWS's runtime interface emulator.
 * @param milliseconds that are left.
 */
export function watchDeadline(milliseconds: number, timeout: Timeout): DeadlineWatch {
  if (milliseconds < leastMilliseconds || milliseconds > 2 ** 31 - 1) return { finish: () => {} };
  const shipper = sharedShipper();
  const due = performance.now() + milliseconds;
  const ahead = Math.min(aheadMilliseconds, milliseconds / 40);
  const isAnnounced = shipper.isExtension && config.initializationType() !== undefined;
  const preparing = setTimeout(
    () => {
      quietly(() => shipper.prepare());
      quietly(timeout.prepare);
    },
    Math.max(milliseconds / 2, milliseconds - preparingMilliseconds),
  ).unref();
  const ending = setTimeout(() => {
    quietly(timeout.endSpans);
    if (!isAnnounced) quietly(timeout.tell);
    void shipper.ship(ahead);
  }, milliseconds - ahead).unref();
  const onAnnouncement = (): void => {
    // An environment may end for other reasons: a laptop's Ctrl-C.
    if (performance.now() < due - clockTolerance) return;
    stop();
    quietly(timeout.endSpans);
    quietly(timeout.tell);
  };
  if (isAnnounced) shipper.endings.add(onAnnouncement);

  function stop(): void {
    clearTimeout(preparing);
    clearTimeout(ending);
    shipper.endings.delete(onAnnouncement);
  }
  return {
    finish: () => {
      stop();
      quietly(() => shipper.unprepare());
    },
  };
}
