import * as v from 'valibot';
import { invalidInput } from '../errors.ts';

/**
 * Checks a caller's input against `schema`.
 * @throws {ExpectedError} `invalid_input` with every failed check, in the order of the schema's
 *   entries.
 */
export function check<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, fieldsOf(input), { abortPipeEarly: true });
  if (result.success) return result.output;
  throw invalidInput([...new Set(result.issues.map(({ message }) => message))]);
}

/**
 * @returns the fields of a JSON object. Any other JSON value has none, so every field counts as
 * missing.
 */
export function fieldsOf(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {};
}

/**
 * A required text, trimmed. A missing key, null, and a value of another type count as blank.
 */
export function text(blankCode: string) {
  return v.pipe(
    v.nullish(
      v.pipe(
        v.string(blankCode),
        v.transform((value) => value.toWellFormed().trim()),
        v.minLength(1, blankCode),
      ),
      '',
    ),
    describedAs({ type: 'string', pattern: '\\S' }, 'required'),
  );
}

/**
 * The API description's schema of an entry. Valibot's own tool can't look into a transformation
 * or a check, nor know that an entry with a default is required.
 */
export type EntryDescription = { readonly jsonSchema: Record<string, unknown>; readonly isRequired: boolean };

function describedAs<Value>(jsonSchema: Record<string, unknown>, need: 'required' | 'optional') {
  return v.metadata<Value, EntryDescription>({ jsonSchema, isRequired: need === 'required' });
}

/**
 * Controls, line separators, and bidi embeddings, overrides and isolates: with these a name can
 * pose as another one (Unicode Technical Report 36). Letters of right-to-left scripts need none of
 * them.
 */
const control = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const lineBreaks = /[\t\n\r]/g;
const visible = /[^\s\p{Default_Ignorable_Code_Point}]/u;

/** A required name on one line, shown beside other people's text. */
export function displayName(most: number) {
  return v.pipe(
    limitedText('display_name_blank', most, 'display_name_invalid'),
    v.check((value) => visible.test(value), 'display_name_blank'),
    v.check((value) => !control.test(value), 'display_name_invalid'),
    describedAs({ type: 'string', pattern: '\\S', maxLength: most }, 'required'),
  );
}

/**
 * An optional text of several lines and at most `most` UTF-16 code units; blank if it is missing.
 */
export function freeText(most: number, invalidCode: string) {
  return v.pipe(
    v.nullish(
      v.pipe(
        v.string(invalidCode),
        v.transform((value) => value.toWellFormed().trim()),
        v.maxLength(most, invalidCode),
        v.check((value) => !control.test(value.replace(lineBreaks, '')), invalidCode),
      ),
      '',
    ),
    describedAs({ type: ['string', 'null'], maxLength: most }, 'optional'),
  );
}

/** A required text of at most `most` code points, counted after trimming. */
export function limitedText(blankCode: string, most: number, tooLongCode: string) {
  return v.pipe(
    text(blankCode),
    v.check((value) => value.length <= most || (value.length <= 2 * most && [...value].length <= most), tooLongCode),
    describedAs({ type: 'string', pattern: '\\S', maxLength: most }, 'required'),
  );
}

/** The text of an activity, reply or message. */
export function message(mostCodePoints: number) {
  return limitedText('message_blank', mostCodePoints, 'message_exceed_max_chars');
}
