import { config } from '../config.ts';
import { sharedShipper } from './shipping.ts';
import { quietly } from './span.ts';

/**
 * So long before the deadline the connections are opened on which the last words go: time enough for a TLS handshake with a back end far
 * away. Never before half of the time is over.
 */
const preparingMilliseconds = 500;
/** Where nobody announces the end, it is told so long before the deadline, or a fortieth of the time where that is less. */
const aheadMilliseconds = 50;
/** With less than this to begin with, there is no time to say anything. */
const leastMilliseconds = 100;
/** Whoever ends the environment may have started its clock so much earlier. */
const clockTolerance = 100;

export interface DeadlineWatch {
  /** The handler is done. */
  finish(): void;
}

/**
 * Watches the time of a request. Lambda kills a function at its deadline, and with it every span that has not been sent.
 *
 * Lambda announces the end of an environment that has an extension by SIGTERM, and gives it 300 ms or more, also when a time is up. There
 * `onTimeout` runs when the time is really up, and a handler that finishes at the last moment causes no alarm. Elsewhere it runs shortly
 * before the deadline, and a handler that finishes between the two is taken for one that does not.
 * Source: "Understanding the Lambda execution environment lifecycle", Shutdown phase; tried with AWS's runtime interface emulator.
 * @param milliseconds that are left.
 * @param onTimeout ends the open spans and says what else is to be said; what it has queued is sent at once.
 */
export function watchDeadline(milliseconds: number, onTimeout: () => void): DeadlineWatch {
  if (milliseconds < leastMilliseconds || milliseconds > 2 ** 31 - 1) return { finish: () => {} };
  const shipper = sharedShipper();
  const due = performance.now() + milliseconds;
  const preparing = setTimeout(
    () => quietly(() => shipper.prepare()),
    Math.max(milliseconds / 2, milliseconds - preparingMilliseconds),
  ).unref();
  const announced = shipper.isExtension && config.initializationType() !== undefined;
  const ahead = Math.min(aheadMilliseconds, milliseconds / 40);
  const telling = announced
    ? undefined
    : setTimeout(() => {
        stop();
        quietly(onTimeout);
        void shipper.ship(ahead);
      }, milliseconds - ahead).unref();
  const onEnding = (): void => {
    // An environment may end for other reasons: a laptop's Ctrl-C.
    if (performance.now() < due - clockTolerance) return;
    stop();
    quietly(onTimeout);
  };
  if (announced) shipper.endings.add(onEnding);

  function stop(): void {
    clearTimeout(preparing);
    clearTimeout(telling);
    shipper.endings.delete(onEnding);
  }
  return {
    finish: () => {
      stop();
      quietly(() => shipper.unprepare());
    },
  };
}
