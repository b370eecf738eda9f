import {
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBTimestampValue,
  type DuckDBValue,
  type Json,
  JsonDuckDBValueConverter,
  StatementType,
} from '@duckdb/node-api';
import { LocalFailure } from '../../local-failure.ts';
import { readAttributeColumns } from '../attribute-columns.ts';
import { createView, type View, views } from './views.ts';

export interface SqlLimits {
  rows: number;
  milliseconds: number;
}

export const defaultSqlLimits: SqlLimits = { rows: 10_000, milliseconds: 10_000 };

/** Of what a statement may hold, with nothing on disk. */
const memory = '512MB';
/** Of the texts of an answer, in characters. */
const mostCharacters = 50_000_000;

export interface SqlAnswer {
  columns: { name: string; type: string }[];
  rows: Json[][];
  /** Whether there were more rows than the limit. */
  truncated: boolean;
}

/**
 * A statement that could not be run; the place is where the database found the fault, if it says.
 */
export class SqlFailure extends LocalFailure {
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(message: string, place?: { line: number; column: number }) {
    super(place ? `${place.line}:${place.column}: ${message}` : message);
    this.name = 'SqlFailure';
    this.line = place?.line;
    this.column = place?.column;
  }
}

/** A run, open for people's SQL: to be read and nothing else, within limits. */
export interface SqlSession {
  views: View[];
  /** @throws SqlFailure */
  run(sql: string, limits?: SqlLimits): Promise<SqlAnswer>;
  close(): void;
}

/**
 * Opens a run's store for people's SQL, in a database of its own: the store is attached to be read,
 * everything else of the machine is out of reach, and none of that can be changed by a statement.
 * @param file of a run that has ended, or a snapshot of one that goes on.
 * @throws LocalFailure when it cannot be read.
 */
export async function openSqlSession(file: string): Promise<SqlSession> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: memory,
    temp_directory: '',
    threads: '2',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    await connection.run(`ATTACH '${file.replaceAll("'", "''")}' AS run (READ_ONLY)`);
    await connection.run('USE run');
    const made = views(await readAttributeColumns(connection));
    await connection.run('USE memory');
    for (const view of made) await connection.run(createView(view));
    await connection.run("SET TimeZone = 'UTC'").catch(() => {});
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
    return {
      views: made,
      run: (sql, limits = defaultSqlLimits) => run(connection, sql, limits),
      close: () => instance.closeSync(),
    };
  } catch (error) {
    instance.closeSync();
    const message = error instanceof Error ? error.message : String(error);
    if (/lock/i.test(message)) throw new LocalFailure(`${file} is open in another process: its run has not ended.`);
    throw new LocalFailure(`${file} cannot be read: ${message.split('\n')[0]}`);
  }
}

const readingStatements: StatementType[] = [StatementType.SELECT, StatementType.EXPLAIN];

async function run(connection: DuckDBConnection, sql: string, limits: SqlLimits): Promise<SqlAnswer> {
  if (sql.includes('\0')) throw new SqlFailure('The statement has a NUL character.');
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    connection.interrupt();
  }, limits.milliseconds);
  try {
    const statements = await connection.extractStatements(sql);
    if (statements.count === 0) throw new SqlFailure('There is no statement.');
    if (statements.count > 1) throw new SqlFailure(`There are ${statements.count} statements: give one.`);
    const prepared = await statements.prepare(0);
    if (!readingStatements.includes(prepared.statementType)) {
      const name = StatementType[prepared.statementType] ?? 'such a statement';
      throw new SqlFailure(`Only SELECT reads, and only reading is allowed here, not ${name}.`);
    }
    if (prepared.parameterCount > 0) throw new SqlFailure('Parameters such as ? and $1 have no values here.');
    return await collect(await prepared.stream(), limits);
  } catch (error) {
    if (error instanceof SqlFailure) throw error;
    if (isLate) {
      throw new SqlFailure(
        `The statement took longer than ${limits.milliseconds / 1000} s and was ended: ask for less.`,
      );
    }
    throw failureOf(error, sql);
  } finally {
    clearTimeout(deadline);
  }
}

type Streamed = Awaited<ReturnType<Awaited<ReturnType<DuckDBConnection['prepare']>>['stream']>>;

async function collect(result: Streamed, limits: SqlLimits): Promise<SqlAnswer> {
  const names = result.columnNames();
  const types = result.columnTypes().map(String);
  const rows: Json[][] = [];
  let characters = 0;
  let truncated = false;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    for (const row of chunk.getRows()) {
      if (rows.length >= limits.rows) {
        truncated = true;
        break;
      }
      const values = row.map((value, at) => plainValue(value, result, at));
      for (const value of values) characters += typeof value === 'string' ? value.length : 8;
      if (characters > mostCharacters) {
        throw new SqlFailure(`The answer has more than ${mostCharacters / 1e6} MB of text: ask for less.`);
      }
      rows.push(values);
    }
    if (truncated) break;
  }
  return { columns: names.map((name, at) => ({ name, type: types[at] ?? '' })), rows, truncated };
}

/**
 * Whole numbers are numbers as long as they are exact; a time is ISO 8601 in UTC; the rest is as
 * DuckDB's JSON has it.
 */
function plainValue(value: DuckDBValue, result: Streamed, at: number): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBTimestampValue) return `${String(value).replace(' ', 'T')}Z`;
  return JsonDuckDBValueConverter(value, result.columnType(at), JsonDuckDBValueConverter);
}

/** DuckDB draws the place below the line: `LINE 1: select * form x` and a caret. */
function failureOf(error: unknown, sql: string): SqlFailure {
  const text = error instanceof Error ? error.message : String(error);
  const [sentence = text] = text.split(/\n\s*\n|\nLINE /);
  const message = sentence.replace(/\s+/g, ' ').trim();
  const found = /LINE (\d+): (.*)\n( *)\^/.exec(text);
  if (!found) return new SqlFailure(message);
  const [, number = '1', excerpt = '', indent = ''] = found;
  const line = Number(number);
  let column = indent.length - `LINE ${number}: `.length + 1;
  // Of a long line only a part is drawn, between dots.
  if (excerpt.startsWith('...')) {
    const whole = sql.split('\n')[line - 1] ?? '';
    const part = excerpt.slice(3, excerpt.endsWith('...') ? -3 : undefined);
    const start = whole.indexOf(part);
    if (start === -1) return new SqlFailure(message);
    column += start - 3;
  }
  return new SqlFailure(message, { line, column: Math.max(1, column) });
}
