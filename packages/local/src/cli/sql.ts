import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { toCsv } from '../format/csv.ts';
import { LocalFailure } from '../local-failure.ts';
import { openSqlSession, type SqlAnswer, SqlFailure, type SqlSession } from '../store/sql/sql-session.ts';
import { toJson } from '../trace/to-json.ts';
import { renderOptions, type TextOutput } from './output.ts';
import { renderTable } from './render/table.ts';
import { plain } from './render/text.ts';
import { findRun, type RunLocation } from './source/find-run.ts';

export interface SqlCommandOptions extends RunLocation {
  /** The statement, or `-` for the standard input; absent for the list of views. */
  statement?: string;
  form: 'table' | 'json' | 'csv';
  rows: number;
  milliseconds: number;
  output: TextOutput;
  errorOutput: TextOutput;
}

/**
 * Runs one reading statement over a run, in this process: it can neither change the run nor hold it
 * up.
 * @returns the exit code: 1 where the statement fails, with its place on the error output.
 * @throws LocalFailure when there is no run.
 */
export async function runSql(options: SqlCommandOptions): Promise<number> {
  const { statement, output, errorOutput, rows, milliseconds } = options;
  const { file, dispose } = await storeFile(options);
  try {
    const session = await openSqlSession(file);
    try {
      if (statement === undefined) {
        output.write(shown(await schemaOf(session), options));
        return 0;
      }
      const sql = statement === '-' ? await text(process.stdin) : statement;
      const answer = await session.run(sql, { rows, milliseconds });
      output.write(shown(answer, options));
      if (answer.truncated) errorOutput.write(`Only the first ${rows} rows are shown: --limit takes another number.\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof SqlFailure)) throw error;
      errorOutput.write(`sql:${error.line === undefined ? ' ' : ''}${plain(error.message)}\n`);
      return 1;
    } finally {
      session.close();
    }
  } finally {
    await dispose();
  }
}

async function storeFile(location: SqlCommandOptions): Promise<{ file: string; dispose(): Promise<void> }> {
  const run = await findRun(location);
  if ('file' in run) {
    for (const sentence of run.skipped) location.errorOutput.write(`${plain(sentence)}\n`);
    return { file: run.file, dispose: async () => {} };
  }
  const response = await fetch(new URL('/api/snapshot', run.console), { method: 'POST', redirect: 'error' }).catch(
    (error: Error) => {
      throw new LocalFailure(`The console at ${run.console} does not answer (${error.message}).`);
    },
  );
  if (!response.ok)
    throw new LocalFailure(`The console at ${run.console} answered ${response.status}: is it of another version?`);
  const { file } = (await response.json()) as { file: string };
  return {
    file,
    dispose: async () => {
      await rm(file, { force: true });
      await rm(`${file}.wal`, { force: true });
    },
  };
}

async function schemaOf(session: SqlSession): Promise<SqlAnswer> {
  const rows = [];
  for (const { name, columns } of session.views) {
    const described = await session.run(`DESCRIBE SELECT * FROM "${name}"`, { rows: 5_000, milliseconds: 10_000 });
    const types = new Map(described.rows.map(([column, type]) => [String(column), String(type)]));
    for (const column of columns) {
      rows.push([name, column.name, types.get(column.name) ?? '', column.meaning ?? 'attribute']);
    }
  }
  return {
    columns: ['view', 'column', 'type', 'meaning'].map((name) => ({ name, type: 'VARCHAR' })),
    rows,
    truncated: false,
  };
}

const numbers = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT\w*|FLOAT|DOUBLE|DECIMAL.*)$/;

function shown({ columns, rows }: SqlAnswer, { form, output }: SqlCommandOptions): string {
  if (form === 'json') {
    // Two columns of one name would be one member.
    const seen = new Map<string, number>();
    const names = columns.map(({ name }) => {
      const nth = (seen.get(name) ?? 0) + 1;
      seen.set(name, nth);
      return nth === 1 ? name : `${name}_${nth}`;
    });
    return `${toJson(
      rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at], value]))),
      2,
    )}\n`;
  }
  if (form === 'csv') {
    const csv = toCsv([columns.map(({ name }) => name), ...rows]);
    return output.isTTY
      ? csv
          .split('\n')
          .map((line) => plain(line).trimEnd())
          .join('\n')
      : csv;
  }
  const table = renderTable(
    columns.map(({ name, type }) => ({ name, align: numbers.test(type) ? 'right' : 'left' })),
    rows.map((row) =>
      row.map((value) => (value === null ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value))),
    ),
    renderOptions(output),
  );
  return `${table}\n\n${rows.length} row${rows.length === 1 ? '' : 's'}\n`;
}
