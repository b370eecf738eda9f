import type * as v from 'valibot';
import { isExpected } from '../../errors.ts';
import { findProfile } from '../../users/repository.ts';
import type { Identity } from '../../users/user.ts';
import { check, fieldsOf } from '../validation.ts';

/**
 * Checks the input of a write. The schema's entry `caller` is the caller's handle, blank if the
 * caller has no profile. The write itself looks the profile up, so this does so only when another
 * check fails, to name all failures at once.
 * @throws {ExpectedError} `invalid_input` with every failed check, in the order of the schema's
 *   entries.
 */
export async function checkFrom<Schema extends v.GenericSchema>(
  { handle }: Identity,
  schema: Schema,
  input: unknown,
): Promise<v.InferOutput<Schema>> {
  const fields = fieldsOf(input);
  try {
    return check(schema, { ...fields, caller: handle });
  } catch (error) {
    if (!isExpected(error) || (await findProfile(handle))) throw error;
    return check(schema, { ...fields, caller: undefined });
  }
}
