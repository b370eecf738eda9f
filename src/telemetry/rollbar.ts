import { setTimeout as delay } from 'node:timers/promises';
import { config } from '../config.ts';
import type { HttpPost } from './delivery.ts';
import type { Destination } from './shipping.ts';

export type RollbarLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical';

/** What an item says, taken down while the request was running, with nothing secret left in it. */
export interface Report {
  level: RollbarLevel;
  error: Error | undefined;
  message: string | undefined;
  /** Epoch seconds. */
  timestamp: number;
  context: string | undefined;
  person: { id: string; username: string } | undefined;
  request: { url: string; method: string; headers: Record<string, string> } | undefined;
  custom: Record<string, unknown>;
}

const defaultEndpoint = 'https://api.rollbar.com/api/1/item/';
/** Rollbar reads source files to show the lines around a frame; on a full disk or a slow one it is not waited for longer. */
const longestBuild = 1_000;

/**
 * Rollbar's API. Its notifier writes the item (stack, grouping, truncation to what the API takes) and sends nothing: its own way of
 * sending waits for an answer without an end, and with it the handler. It is loaded on the first report.
 */
export const rollbar: Destination = {
  name: 'Rollbar',
  unit: 'items',
  batch: 1,
  get url() {
    return itemUrl(config.rollbarEndpoint() ?? defaultEndpoint);
  },
  prepare: () => void loadNotifier().catch(() => {}),
  build: async ([payload]) => post(await writeItem(payload as Report)),
};

function post(body: string): HttpPost {
  return {
    headers: { 'content-type': 'application/json', 'x-rollbar-access-token': config.rollbarAccessToken() ?? '' },
    body,
  };
}

/** Rollbar's clients take the API's base or the item's own address. */
function itemUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith('/item') ? `${base}/` : `${base}/item/`;
}

async function writeItem(report: Report): Promise<string> {
  const notifier = await loadNotifier();
  const written = new Promise<Record<string, unknown>>((resolve, reject) => {
    notifier.take = resolve;
    const callback = (error: unknown): void => reject(error ?? new Error('Rollbar wrote no item'));
    notifier.rollbar.log(report.error ?? report.message ?? '', { level: report.level }, callback);
  });
  const limit = new AbortController();
  const item = await Promise.race([
    written,
    delay(longestBuild, undefined, { signal: limit.signal, ref: false }).then(() => {
      throw new Error('Rollbar took too long to write the item');
    }),
  ]).finally(() => limit.abort());
  Object.assign(item, {
    level: report.level,
    timestamp: report.timestamp,
    custom: report.custom,
    ...(report.context ? { context: report.context } : {}),
    ...(report.person ? { person: report.person } : {}),
    ...(report.request ? { request: report.request } : {}),
  });
  // What the notifier says of itself: its options and the error once more.
  const { name, version } = (item['notifier'] ?? {}) as { name?: string; version?: string };
  item['notifier'] = { name, version };
  const body = notifier.rollbar.buildJsonPayload(item);
  if (typeof body !== 'string') throw new Error('Rollbar could not write the item');
  return body;
}

interface Notifier {
  rollbar: { log(...details: unknown[]): unknown; buildJsonPayload(item: object): unknown };
  /** Given the item that has just been written: items are written one after the other. */
  take: (item: Record<string, unknown>) => void;
}

let loading: Promise<Notifier> | undefined;

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
          notifier.take(item as Record<string, unknown>);
          return true;
        },
      } as ConstructorParameters<typeof Rollbar>[0]) as unknown as Notifier['rollbar'],
      take: () => {},
    };
    return notifier;
  });
  return loading;
}
