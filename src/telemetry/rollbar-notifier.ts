import { setTimeout as delay } from 'node:timers/promises';
import { config } from '../config.ts';

export type RollbarLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** What Rollbar's notifier is given: an error or a message. */
export interface Subject {
  level: RollbarLevel;
  error: Error | undefined;
  message: string | undefined;
}

/** Rollbar's `data`, as its API documents it. */
export type Item = Record<string, unknown>;

/** Rollbar reads source files to show the lines around a frame; on a full disk or a slow one it is not waited for longer. */
const longestWriting = 1_000;

interface Notifier {
  rollbar: { log(...details: unknown[]): unknown; buildJsonPayload(item: object): unknown };
  /** Given the item that has just been written. */
  take: (item: Item) => void;
}

let loading: Promise<Notifier> | undefined;
/** Items are written one after the other: the notifier does not say which one it has written. */
let writing: Promise<unknown> = Promise.resolve();
const begun = new WeakMap<Error, Promise<Item>>();

/** Begins the item of an error that may have to be reported, so that little is left to do when it has to. Never throws. */
export function beginItem(error: Error): void {
  const item = inTurn({ level: 'error', error, message: undefined });
  item.catch(() => {});
  begun.set(error, item);
}

/**
 * Has Rollbar's notifier make an item: the stack, and the lines of code around each frame. It sends nothing.
 * @returns an item that is the caller's own.
 * @throws when there is none after a second.
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

/** Where V8 says that code is: a file of JavaScript, or none. */
const placeOfCode = /(?:\.[cm]?[jt]sx?:\d+:\d+|(?:^|[\s(])(?:node:[\w./-]+:\d+:\d+|native|<anonymous>|index \d+))\)?$/;

/**
 * The notifier takes any line for a frame that begins like one, also in a message of several lines, and sends what stands in the file that
 * it names: whoever words a message would choose what is read, `/proc/self/environ` or a device without an end.
 * @returns a copy with the stack's first line and true frames alone.
 */
function withOwnFrames(error: Error): Error {
  const [head = '', ...rest] = (error.stack ?? '').split('\n');
  const frames = rest.filter((line) => placeOfCode.test(line.trimEnd()));
  const copy = new Error(error.message);
  const cause = error.cause instanceof Error ? withOwnFrames(error.cause) : undefined;
  return Object.assign(copy, { name: error.name, stack: [head, ...frames].join('\n') }, cause && { cause });
}

/** Loaded for the first item: it takes some 18 ms, which no cold start should. */
function loadNotifier(): Promise<Notifier> {
  loading ??= import('rollbar').then(({ default: Rollbar }) => {
    const notifier: Notifier = {
      rollbar: new Rollbar({
        accessToken: config.rollbarAccessToken() ?? '',
        environment: config.stage(),
        codeVersion: config.release() ?? 'unreleased',
        transmit: false,
        captureUncaught: false,
        captureUnhandledRejections: false,
        // Of two like errors in a row it would drop the second; what is reported once is decided before.
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
