import { redactText } from './redaction.ts';
import { currentRequest } from './request.ts';
import { quietly } from './span.ts';

/**
 * The one wide event of a request: what is set here is logged once at its end and stands on its root span. Outside a request nothing
 * happens. Known keys: `user` (the caller's handle), `route`, `error_code`; any other name is fine.
 */
export const requestEvent = {
  /** @param value a string, number or boolean; anything else is written as JSON. */
  set(key: string, value: unknown): void {
    currentRequest()?.fields.set(quietly(() => redactText(key)) ?? '_', value);
  },
};
