import { type Plain, toPlain } from './plain.ts';
import { redactText } from './redaction.ts';
import { currentRequest } from './request.ts';
import { quietly, toScalar } from './span.ts';

/** Of one request; the event has a dozen members of its own, which come after these, and a line takes a hundred in all. */
const mostFields = 80;
/** Of their JSON together, for the same reason: a line takes 100 KB in all, and half of them are for the error beside it. */
const mostBytes = 40_000;
const longestKey = 256;

/** What stands in other places as text: in dimensions of metrics, in Rollbar's items, in the line's message. */
const texts = new Set(['user', 'route', 'method', 'error_code']);

const sizes = new WeakMap<Map<string, unknown>, Map<string, number>>();

/**
 * The one wide event of a request: what is set here is logged once at its end and stands on its root span. Outside a request nothing
 * happens. Known keys: `user` (the caller's handle), `route`, `error_code`; any other name is fine.
 */
export const requestEvent = {
  /**
   * Takes the value as it is now, redacted and bounded. Of more than 80 fields, or 40 KB, `fields_left_out` counts the rest.
   * @param value a string, number or boolean; anything else is written as JSON.
   */
  set(key: string, value: unknown): void {
    const request = currentRequest();
    if (!request) return;
    const { fields } = request;
    // Before it is redacted: see the request's secrets.
    if (key === 'user' && typeof value === 'string') request.user = value;
    const name = (quietly(() => redactText(key)) ?? '_').slice(0, longestKey);
    const plain = plainOf(name, value);
    const size = Buffer.byteLength(JSON.stringify({ [name]: plain }));
    const known = sizes.get(fields) ?? new Map<string, number>();
    let total = size - (known.get(name) ?? 0);
    for (const other of known.values()) total += other;
    const isFull = !known.has(name) && known.size >= mostFields;
    if (isFull || total > mostBytes) {
      fields.set('fields_left_out', Number(fields.get('fields_left_out') ?? 0) + 1);
      return;
    }
    sizes.set(fields, known.set(name, size));
    fields.set(name, plain);
  },
};

function plainOf(name: string, value: unknown): Plain {
  return texts.has(name) && value !== undefined && value !== null ? toScalar(value) : toPlain(value);
}
