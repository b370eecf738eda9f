/** Runs a piece of telemetry and drops whatever it throws: telemetry never fails a request. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
