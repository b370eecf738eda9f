import { type Command, UsageError } from '../command.ts';
import { consoleUrlOf } from '../source/console-url.ts';

const trace: Command = {
  name: 'trace',
  summary: 'Show the traces of this service: the newest requests, or one as a waterfall',
  positionals: '[id]',
  options: {
    last: { usage: 'The newest request, as a waterfall', type: 'boolean', short: 'l' },
    errors: { usage: 'Only requests with an error, a fault or a throttle', type: 'boolean', short: 'e' },
    slow: { usage: 'Only requests that took at least so many milliseconds', type: 'string', value: 'ms' },
    search: {
      usage: 'Only requests that fit, such as "status>=500 route:/api time:>300ms"',
      type: 'string',
      value: 'terms',
    },
    orphans: { usage: 'Telemetry that belongs to no trace, and what was rejected', type: 'boolean' },
    follow: { usage: 'Print each request as it ends, until Ctrl-C', type: 'boolean', short: 'f' },
    run: { usage: 'A kept run: its name or the beginning of it, or 1 for the newest', type: 'string', value: 'run' },
    json: { usage: 'Print JSON; with --follow, one object a line', type: 'boolean' },
    'console-port': { usage: "The console's port, when the run cannot be found", type: 'string', value: 'port' },
  },
  examples: [
    ['throughline trace --last', 'where the newest request spent its time'],
    ['throughline trace 1-5f84c7a1-…', 'one request, by either form of its ID or its last digits'],
    ['throughline trace --errors --follow', 'each failure as it happens'],
  ],
  async run({ values, positionals, directory, output, signal }) {
    const [id, second] = positionals;
    if (second !== undefined) throw new UsageError(`trace takes one trace ID; "${second}" is a second one.`);
    const consoleUrl = consoleUrlOf(values['console-port']);
    const slow = values.slow;
    const search = values.search;
    const { runTrace } = await import('../trace.ts');
    return runTrace({
      ...(id === undefined ? {} : { id }),
      // An empty text is not a number, though Number('') is 0.
      ...(slow === undefined ? {} : { slow: slow === '' ? Number.NaN : Number(slow) }),
      ...(consoleUrl === undefined ? {} : { consoleUrl }),
      ...(typeof values.run === 'string' ? { run: values.run } : {}),
      ...(typeof search === 'string' ? { search } : {}),
      last: values.last === true,
      errors: values.errors === true,
      orphans: values.orphans === true,
      follow: values.follow === true,
      json: values.json === true,
      serviceDirectory: directory,
      output,
      signal,
    });
  },
};

export default trace;
