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
    // The name itself: a bundler may give the SDK's class another one, as esbuild does.
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
