import { type Command, UsageError } from '../command.ts';
import { consoleUrlOf } from '../source/console-url.ts';

const sql: Command = {
  name: 'sql',
  summary: 'Read a run of this service with SQL: views requests, spans, logs, metrics and errors',
  positionals: '<statement | ->',
  options: {
    schema: { usage: 'List the views and their columns', type: 'boolean' },
    run: { usage: 'A kept run: a number (1 is the newest), its name, or a path', type: 'string', value: 'run' },
    json: { usage: 'Print JSON', type: 'boolean' },
    csv: { usage: 'Print CSV', type: 'boolean' },
    limit: { usage: 'Show at most so many rows (default: 10000)', type: 'string', value: 'rows' },
    timeout: { usage: 'End the statement after so many seconds (default: 10)', type: 'string', value: 's' },
    'console-port': { usage: "The console's port, when the run cannot be found", type: 'string', value: 'port' },
  },
  examples: [
    ['throughline sql "select route, count(*) from requests group by all"', 'requests by route'],
    ['throughline sql --schema', 'what there is to ask for'],
  ],
  async run({ values, positionals, directory, output, errorOutput }) {
    const [statement, second] = positionals;
    const wantsSchema = values.schema === true;
    if (second !== undefined) throw new UsageError('sql takes one statement: put it in quotes.');
    if (wantsSchema === (statement !== undefined)) throw new UsageError('sql needs a statement, - or --schema.');
    if (values.json === true && values.csv === true) throw new UsageError('--json and --csv cannot be combined.');
    const consoleUrl = consoleUrlOf(values['console-port']);
    const { run } = values;
    if (run !== undefined && consoleUrl !== undefined)
      throw new UsageError('--run and --console-port cannot be combined.');
    const { runSql } = await import('../sql.ts');
    return runSql({
      ...(statement !== undefined && { statement }),
      form: values.json === true ? 'json' : values.csv === true ? 'csv' : 'table',
      rows: whole(values.limit, '--limit', 1_000_000) ?? 10_000,
      milliseconds: (whole(values.timeout, '--timeout', 600) ?? 10) * 1000,
      serviceDirectory: directory,
      ...(typeof run === 'string' && { run }),
      ...(consoleUrl !== undefined && { consoleUrl }),
      output,
      errorOutput,
    });
  },
};

export default sql;

function whole(value: string | boolean | undefined, option: string, most: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^\d{1,7}$/.test(value) && Number(value) >= 1 && Number(value) <= most)
    return Number(value);
  throw new UsageError(`${option} takes a whole number from 1 to ${most}, not "${value}".`);
}
