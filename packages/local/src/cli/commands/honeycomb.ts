import { type Command, UsageError } from '../command.ts';

const actions = ['push', 'diff', 'pull', 'mark'] as const;

const honeycomb: Command = {
  name: 'honeycomb',
  summary: 'Bring the queries of queries/ to Honeycomb and back, and mark deployments there',
  positionals: '<push | diff | pull <query> | mark [message]>',
  options: {
    'dry-run': { usage: 'Say what would change, and change nothing', type: 'boolean' },
    environment: { usage: 'Refuse a key of any other environment', type: 'string', value: 'slug' },
    dataset: { usage: 'The data set (default: __all__, the whole environment)', type: 'string', value: 'slug' },
    board: { usage: 'The board that shows the queries (default: Throughline)', type: 'string', value: 'name' },
    as: { usage: "pull: the file's name in queries/", type: 'string', value: 'name' },
    force: { usage: 'pull: replace a file that exists', type: 'boolean' },
    type: { usage: 'mark: groups markers of one colour (default: deploy)', type: 'string', value: 'word' },
    url: { usage: 'mark: where the marker leads', type: 'string', value: 'url' },
    start: { usage: 'mark: when, in epoch seconds or ISO 8601 (default: now)', type: 'string', value: 'time' },
    end: { usage: 'mark: until when, for a range', type: 'string', value: 'time' },
    'api-url': {
      usage: 'The API (default: HONEYCOMB_API_URL, else https://api.honeycomb.io)',
      type: 'string',
      value: 'url',
    },
    json: { usage: 'Print JSON', type: 'boolean' },
  },
  examples: [
    ['throughline honeycomb diff', 'what a push would change; exits with 1 where something would'],
    ['throughline honeycomb push --environment prod', 'creates and updates the queries and the board'],
    ['throughline honeycomb pull "Slow carts"', 'a query that was saved in Honeycomb, as a file'],
    ['throughline honeycomb mark "release 1.4.2" --dataset shop', 'a deployment in every graph'],
  ],
  async run({ values, positionals, directory, output, errorOutput, signal }) {
    const [word, operand, more] = positionals;
    const action = actions.find((name) => name === word);
    if (action === undefined)
      throw new UsageError(`honeycomb takes ${actions.join(', ')}, not ${JSON.stringify(word ?? '')}.`);
    if (more !== undefined || (operand !== undefined && action !== 'pull' && action !== 'mark')) {
      throw new UsageError(`honeycomb ${action} takes no "${more ?? operand}".`);
    }
    if (action === 'pull' && operand === undefined)
      throw new UsageError('honeycomb pull needs the name or ID of a query.');
    const text = (name: string) => {
      const value = values[name];
      if (value === '') throw new UsageError(`--${name} is empty.`);
      return typeof value === 'string' ? { value } : undefined;
    };
    const { runHoneycomb } = await import('../honeycomb/run-honeycomb.ts');
    const [environment, as, apiUrl, url] = ['environment', 'as', 'api-url', 'url'].map(text);
    const [start, end] = [time(values.start, '--start'), time(values.end, '--end')];
    return runHoneycomb({
      action,
      ...(action === 'pull' && operand !== undefined && { query: operand }),
      dataset: text('dataset')?.value ?? '__all__',
      board: text('board')?.value ?? 'Throughline',
      ...(environment && { environment: environment.value }),
      ...(apiUrl && { apiUrl: apiUrl.value }),
      ...(as && { as: as.value }),
      dryRun: values['dry-run'] === true,
      json: values.json === true,
      force: values.force === true,
      marker: {
        ...(action === 'mark' && operand !== undefined && { message: operand }),
        type: text('type')?.value ?? 'deploy',
        ...(url && { url: url.value }),
        ...(start !== undefined && { start }),
        ...(end !== undefined && { end }),
      },
      serviceDirectory: directory,
      output,
      errorOutput,
      signal,
    });
  },
};

export default honeycomb;

/** @returns epoch seconds. */
function time(value: string | boolean | undefined, option: string): number | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  const seconds = /^\d{1,11}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (Number.isFinite(seconds)) return seconds;
  throw new UsageError(`${option} takes epoch seconds or ISO 8601, not "${text}".`);
}
