import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { closest } from '../closest.ts';
import { type Command, UsageError } from '../command.ts';
import { sampleEvents } from '../invoke/sample-events.ts';

const kinds = Object.keys(sampleEvents);

const invoke: Command = {
  name: 'invoke',
  summary: 'Deliver one event to a function of the running service, and show its answer and its trace',
  positionals: '<function> [event.json]',
  options: {
    event: {
      usage: `A sample event instead of a file: ${kinds.join(', ')}`,
      type: 'string',
      short: 'e',
      value: 'source',
    },
    print: { usage: 'Print the event and deliver nothing: the start of a file of your own', type: 'boolean' },
    json: { usage: 'Print the answer, the trace ID and what a batch came to as JSON', type: 'boolean' },
  },
  examples: [
    ['throughline invoke home events/home/ok.json', 'the answer, then where the time went'],
    ['throughline invoke worker --event sqs', 'two messages in one batch, and which would come again'],
    ['throughline invoke worker --event s3 --print > event.json', 'an event to edit'],
  ],
  async run({ values, positionals, directory, output, signal }) {
    const [functionName, file, more] = positionals;
    if (functionName === undefined) throw new UsageError('invoke takes a function: throughline invoke <function>.');
    if (more !== undefined) throw new UsageError(`invoke takes one event file; "${more}" is a second one.`);
    const event = await eventOf(file, values.event);
    if (values.print === true) {
      output.write(`${JSON.stringify(JSON.parse(event), null, 2)}\n`);
      return 0;
    }
    const { runInvoke } = await import('../invoke/run-invoke.ts');
    const json = values.json === true;
    return runInvoke({ functionName, event, json, serviceDirectory: directory, output, signal });
  },
};

export default invoke;

async function eventOf(file: string | undefined, kind: string | boolean | undefined): Promise<string> {
  if (file !== undefined && kind !== undefined) throw new UsageError('Give an event file or --event, not both.');
  if (typeof kind === 'string') return sampleOf(kind);
  if (file === undefined) return '{}';
  const text = await readFile(path.resolve(file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} cannot be read (${error.code}).`);
  });
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not valid JSON: ${(error as Error).message}.`);
  }
  return text;
}

function sampleOf(kind: string): string {
  // A stream is one or the other: DynamoDB's is the more frequent one.
  const name = kind === 'stream' ? 'dynamodb' : kind;
  const sample = Object.hasOwn(sampleEvents, name) ? sampleEvents[name] : undefined;
  if (sample) return JSON.stringify(sample(new Date()));
  const meant = closest(kind, kinds);
  const hint = meant === undefined ? `There are ${kinds.join(', ')}.` : `Did you mean "${meant}"?`;
  throw new UsageError(`--event has no sample "${kind.slice(0, 100)}". ${hint}`);
}
