import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from '@duckdb/node-api';
import { LocalFailure } from '../local-failure.ts';
import type { SqlRow } from './rows.ts';

/** A read that took too long was ended: the question has to be narrowed. */
export class ReadTimeout extends LocalFailure {
  constructor(milliseconds: number) {
    super(
      `Reading took longer than ${milliseconds / 1000} s and was ended. Narrow it by time, or ask for fewer traces.`,
    );
    this.name = 'ReadTimeout';
  }
}

/** A slow read must not keep the page, the terminal and the X-Ray API from theirs. */
const mostConnections = 3;

export const readLimitMilliseconds = 10_000;

/** Connections for reading alone. Each statement has one of them to itself, and limited time. */
export class ReadConnections {
  readonly #all: DuckDBConnection[];
  readonly #free: DuckDBConnection[];
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];
  readonly #milliseconds: number;
  #closed = false;

  private constructor(connections: DuckDBConnection[], milliseconds: number) {
    this.#all = connections;
    this.#free = [...connections];
    this.#milliseconds = milliseconds;
  }

  static async open(instance: DuckDBInstance, milliseconds: number = readLimitMilliseconds): Promise<ReadConnections> {
    const connections = await Promise.all(Array.from({ length: mostConnections }, () => instance.connect()));
    return new ReadConnections(connections, milliseconds);
  }

  /**
   * Runs one statement.
   * @param most rows that are read at most; the rest is left.
   * @throws {ReadTimeout} when it takes longer than it may; what DuckDB says of the statement.
   */
  async rows(sql: string, values: DuckDBValue[] = [], most?: number): Promise<SqlRow[]> {
    if (this.#closed) throw new LocalFailure('The store of traces is closed.');
    const connection = await this.#take();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      connection.interrupt();
    }, this.#milliseconds);
    try {
      if (most === undefined) return (await connection.runAndReadAll(sql, values)).getRowObjects();
      return (await connection.streamAndReadUntil(sql, most, values)).getRowObjects().slice(0, most);
    } catch (error) {
      throw isLate ? new ReadTimeout(this.#milliseconds) : error;
    } finally {
      clearTimeout(timer);
      this.#giveBack(connection);
    }
  }

  /** Waits for the statements that run, then closes. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = await Promise.all(this.#all.map(() => this.#take()));
    for (const connection of all) connection.closeSync();
  }

  #take(): Promise<DuckDBConnection> {
    const free = this.#free.pop();
    if (free) return Promise.resolve(free);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(connection: DuckDBConnection): void {
    const next = this.#waiting.shift();
    if (next) next(connection);
    else this.#free.push(connection);
  }
}
