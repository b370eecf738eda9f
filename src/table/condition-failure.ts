/**
 * Awaits a conditional write and ignores a failed condition, which means that an earlier try has
 * written already.
 * @returns whether this write changed the table.
 */
export async function ignoreConditionFailure(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    // Compare the name, not the class: esbuild renames the SDK's classes.
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
