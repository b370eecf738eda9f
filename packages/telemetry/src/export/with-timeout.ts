/**
 * Waits for `work`, but not longer than the limit. The timer keeps the process alive, because
 * somebody is waiting.
 * @param milliseconds 0 or less does not wait at all.
 */
export async function withTimeout(milliseconds: number, work: Promise<unknown>): Promise<void> {
  if (milliseconds <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => {}), limit]);
  clearTimeout(timer);
}
