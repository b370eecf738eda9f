import { writeSync } from 'node:fs';

/** Writes one line of JSON to standard error, at once. A line that cannot be written is lost. */
export function writeWarning(message: string, details: Record<string, unknown> = {}): void {
  try {
    writeSync(2, `${JSON.stringify({ level: 'WARN', message, timestamp: new Date().toISOString(), ...details })}\n`);
  } catch {
    // Nobody reads the output.
  }
}
