import type { DuckDBConnection } from '@duckdb/node-api';
import type { Rejection } from '../../trace/trace.ts';

/**
 * Reasons are fixed sentences, so there are few. A sender that finds a way to make many must not
 * fill the memory.
 */
const mostReasons = 1000;
const longestDetail = 500;

/** Counts input that was refused. */
export class Rejections {
  readonly #counted = new Map<string, Rejection>();
  /** Whether there is something that the file does not know. */
  changed = false;

  add(receiver: string, reason: string, detail: string, count = 1): void {
    const key = `${receiver}\0${reason}`;
    const known = this.#counted.get(key);
    const latest = String(detail).slice(0, longestDetail).toWellFormed();
    if (known) {
      known.count += count;
      known.detail = latest;
    } else if (this.#counted.size < mostReasons) {
      this.#counted.set(key, { intake: receiver, reason: reason.toWellFormed(), detail: latest, count });
    }
    this.changed = true;
  }

  all(): Rejection[] {
    return [...this.#counted.values()].map((rejection) => ({ ...rejection }));
  }

  /** Replaces the rows of the table `rejections`; to be run in a transaction. */
  async write(connection: DuckDBConnection): Promise<void> {
    this.changed = false;
    await connection.run('DELETE FROM rejections');
    const rows = this.all();
    if (rows.length === 0) return;
    const places = rows.map((_, at) => `($${4 * at + 1}, $${4 * at + 2}, $${4 * at + 3}, $${4 * at + 4}::BIGINT)`);
    const values = rows.flatMap(({ intake, reason, detail, count }) => [intake, reason, detail, count]);
    await connection.run(`INSERT INTO rejections VALUES ${places.join(', ')}`, values);
  }
}
