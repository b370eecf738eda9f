import * as v from 'valibot';
import { invalidInput } from '../errors.ts';

/**
 * Checks input that a caller sent.
 * @throws {ExpectedError} `invalid_input` with every failed check, in the order of the schema's entries.
 */
export function check<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, fieldsOf(input), { abortPipeEarly: true });
  if (result.success) return result.output;
  throw invalidInput([...new Set(result.issues.map(({ message }) => message))]);
}

/** @returns a JSON object's own fields; what is JSON but no object has none, so that all of them are missing. */
export function fieldsOf(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {};
}

/**
 * A text that may not be blank, as it is without white space around it; a missing key, null and a value of another type
 * are blank.
 */
export function text(blankCode: string) {
  return v.nullish(
    v.pipe(
      v.string(blankCode),
      v.transform((value) => value.toWellFormed().trim()),
      v.minLength(1, blankCode),
    ),
    '',
  );
}

/** A text of at most `most` code points, counted without the white space around it. */
export function limitedText(blankCode: string, most: number, tooLongCode: string) {
  return v.pipe(
    text(blankCode),
    v.check((value) => value.length <= most || (value.length <= 2 * most && [...value].length <= most), tooLongCode),
  );
}

/** The text of an activity, reply or message. */
export function message(mostCodePoints: number) {
  return limitedText('message_blank', mostCodePoints, 'message_exceed_max_chars');
}
