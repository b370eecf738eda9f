import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';

/**
 * Waits for a conditional write, for which a condition that does not hold is no failure: what it guards against has
 * happened already.
 * @returns whether it was this write that did it.
 */
export async function happensOnce(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === ConditionalCheckFailedException.name) return false;
    throw error;
  }
}
