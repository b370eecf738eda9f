import { writeSync } from 'node:fs';

/** Writes one line of JSON to standard error, at once. A line that cannot be written is lost. */
export function writeWarning(message: string, details: Record<string, unknown> = {}): void {
  try {
    writeSync(2, `${JSON.stringify({ level: 'WARN', message, timestamp: new Date().toISOString(), ...details })}\n`);
  } catch {
    // Nobody reads it.
  }
}

/** Whoever reads the output may go away, and Node ends a process whose writes fail when nobody has said otherwise. */
export function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}
