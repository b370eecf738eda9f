import { setTimeout as delay } from 'node:timers/promises';
import { config } from '../config.ts';
import { causesOf, type DescribedError } from './describe-error.ts';

export type RollbarLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** What Rollbar's notifier is given: an error or a message. */
export interface Subject {
  level: RollbarLevel;
  error: DescribedError | undefined;
  message: string | undefined;
}

/** Rollbar's `data`, as its API documents it. */
export type Item = Record<string, unknown>;

/**
 * Rollbar reads source files to show the lines around a frame; a slow or full disk must not hold
 * the export for longer.
 */
const longestWriting = 1_000;

interface Notifier {
  rollbar: { log(...details: unknown[]): unknown; buildJsonPayload(item: object): unknown };
  /** Given the item that has just been written. */
  take: (item: Item) => void;
}

let loading: Promise<Notifier> | undefined;
/** Items are written one at a time: the notifier does not say which one it has written. */
let writing: Promise<unknown> = Promise.resolve();
const begun = new WeakMap<DescribedError, Promise<Item>>();

/**
 * Begins the item of an error that may have to be reported, so that little is left to do then.
 * Never throws.
 */
export function beginItem(error: DescribedError): void {
  const item = inTurn({ level: 'error', error, message: undefined });
  item.catch(() => {});
  begun.set(error, item);
}

/**
 * Has Rollbar's notifier make an item: the stack, and the lines of code around each frame. It sends
 * nothing.
 * @returns an item that is the caller's own.
 * @throws when it takes longer than a second.
 */
export async function makeItem(subject: Subject): Promise<Item> {
  return { ...(await ((subject.error && begun.get(subject.error)) ?? inTurn(subject))) };
}

/**
 * @returns the JSON that is posted, truncated to what the API takes.
 * @throws when the notifier makes none.
 */
export async function toPayload(item: Item): Promise<string> {
  const body = (await loadNotifier()).rollbar.buildJsonPayload(item);
  if (typeof body !== 'string') throw new Error('Rollbar could not write the item');
  return body;
}

function inTurn(subject: Subject): Promise<Item> {
  const item = writing.then(() => write(subject));
  writing = item.catch(() => {});
  return item;
}

async function write({ level, error, message }: Subject): Promise<Item> {
  const notifier = await loadNotifier();
  const written = new Promise<Item>((resolve, reject) => {
    notifier.take = resolve;
    const callback = (failure: unknown): void => reject(failure ?? new Error('Rollbar wrote no item'));
    notifier.rollbar.log(error ? withOwnFrames(error) : (message ?? ''), { level }, callback);
  });
  const limit = new AbortController();
  return Promise.race([
    written,
    delay(longestWriting, undefined, { signal: limit.signal, ref: false }).then(() => {
      throw new Error('Rollbar took too long to write the item');
    }),
  ]).finally(() => limit.abort());
}

/** How V8 writes the place of a frame: a JavaScript file, or none. */
const placeOfCode = /(?:\.[cm]?[jt]sx?:\d+:\d+|(?:^|[\s(])(?:node:[\w./-]+:\d+:\d+|native|<anonymous>|index \d+))\)?$/;

/**
 * Copies an error and all that caused it into the chain that the notifier follows, from the outer
 * error to the deepest cause.
 *
 * Only true frames of their stacks are kept. The notifier takes any line that looks like a frame,
 * also in a message of several lines, and sends the file that it names: the author of a message
 * would choose what is read, `/proc/self/environ` or an endless device.
 */
function withOwnFrames(error: DescribedError): Error {
  let below: Error | undefined;
  for (const link of causesOf(error)) {
    const [head = '', ...rest] = (link.stack ?? '').split('\n');
    const frames = rest.filter((line) => placeOfCode.test(line.trimEnd()));
    const copy = Object.assign(new Error(link.message), { name: link.name, stack: [head, ...frames].join('\n') });
    below = Object.assign(copy, below && { cause: below });
  }
  return below ?? new Error(error.message);
}

/** Loaded for the first item: it takes about 18 ms, which no cold start should pay. */
function loadNotifier(): Promise<Notifier> {
  loading ??= import('rollbar').then(({ default: Rollbar }) => {
    const notifier: Notifier = {
      rollbar: new Rollbar({
        // It sends nothing, and asks for one all the same.
        accessToken: 'none',
        environment: config.stage(),
        codeVersion: config.release() ?? 'unreleased',
        transmit: false,
        captureUncaught: false,
        captureUnhandledRejections: false,
        // It would drop the second of two like errors in a row; error-reporting.ts decides what is
        // reported once.
        ignoreDuplicateErrors: false,
        checkIgnore: (_isUncaught: boolean, _details: unknown, item: unknown) => {
          notifier.take(item as Item);
          return true;
        },
      } as ConstructorParameters<typeof Rollbar>[0]) as unknown as Notifier['rollbar'],
      take: () => {},
    };
    return notifier;
  });
  return loading;
}
