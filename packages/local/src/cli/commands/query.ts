import { type Command, UsageError } from '../command.ts';
import { consoleUrlOf } from '../source/console-url.ts';

const query: Command = {
  name: 'query',
  summary: "Run a query in Honeycomb's specification over a run of this service",
  positionals: '<file | name | ->',
  options: {
    run: { usage: 'A kept run: a number (1 is the newest), its name, or a path', type: 'string', value: 'run' },
    json: { usage: 'Print JSON', type: 'boolean' },
    csv: { usage: 'Print CSV', type: 'boolean' },
    explain: { usage: 'Print the SQL that answers the query, instead of the answer', type: 'boolean' },
    'console-port': { usage: "The console's port, when the run cannot be found", type: 'string', value: 'port' },
  },
  examples: [
    ['throughline query queries/slowest-routes.json', 'which routes are slow'],
    ['throughline query errors-by-code --run 2', 'one of queries/, over the run before this one'],
    ['echo \'{"breakdowns":["name"]}\' | throughline query -', 'a query from the standard input'],
  ],
  async run({ values, positionals, directory, output, errorOutput }) {
    const [file, second] = positionals;
    if (file === undefined) throw new UsageError("query needs a query's file, the name of one in queries/, or -.");
    if (second !== undefined) throw new UsageError(`query takes one query; "${second}" is a second one.`);
    const forms = (['json', 'csv', 'explain'] as const).filter((form) => values[form] === true);
    if (forms.length > 1) throw new UsageError(`--${forms.join(' and --')} cannot be combined.`);
    const [form] = forms;
    const consoleUrl = consoleUrlOf(values['console-port']);
    const { run } = values;
    if (run !== undefined && consoleUrl !== undefined)
      throw new UsageError('--run and --console-port cannot be combined.');
    const { runQuery } = await import('../query.ts');
    return runQuery({
      file,
      form: form === 'explain' ? 'sql' : (form ?? 'table'),
      serviceDirectory: directory,
      ...(typeof run === 'string' && { run }),
      ...(consoleUrl !== undefined && { consoleUrl }),
      output,
      errorOutput,
    });
  },
};

export default query;
