import type { DuckDBConnection } from '@duckdb/node-api';

export interface Rejection {
  intake: string;
  reason: string;
  /** The latest case. */
  detail: string;
  count: number;
}

/** Reasons are fixed sentences, so there are few; a sender that finds a way to make many must not fill the memory. */
const MOST_REASONS = 1000;
const LONGEST_DETAIL = 500;

/** Counts what could not be taken. */
export class Rejections {
  readonly #counted = new Map<string, Rejection>();
  /** Whether there is something that the file does not know. */
  changed = false;

  add(intake: string, reason: string, detail: string, count = 1): void {
    const key = `${intake}\0${reason}`;
    const known = this.#counted.get(key);
    const latest = String(detail).slice(0, LONGEST_DETAIL);
    if (known) {
      known.count += count;
      known.detail = latest;
    } else if (this.#counted.size < MOST_REASONS) {
      this.#counted.set(key, { intake, reason, detail: latest, count });
    }
    this.changed = true;
  }

  all(): Rejection[] {
    return [...this.#counted.values()].map((rejection) => ({ ...rejection }));
  }

  /** Replaces what the table `rejections` holds. */
  async write(connection: DuckDBConnection): Promise<void> {
    this.changed = false;
    await connection.run('DELETE FROM rejections');
    for (const { intake, reason, detail, count } of this.all()) {
      await connection.run('INSERT INTO rejections VALUES ($1, $2, $3, $4::BIGINT)', [intake, reason, detail, count]);
    }
  }
}
