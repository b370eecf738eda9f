import { config } from '../config.ts';
import { makeItem, type Subject, toPayload } from './rollbar-notifier.ts';
import type { Destination } from './shipping.ts';

/** What an item says, taken down while the request was running, with nothing secret left in it. */
export interface Report extends Subject {
  /** Epoch seconds. */
  timestamp: number;
  context: string | undefined;
  person: { id: string; username: string } | undefined;
  request: { url: string; method: string; headers: Record<string, string> } | undefined;
  custom: Record<string, unknown>;
}

const defaultEndpoint = 'https://api.rollbar.com/api/1/item/';

/**
 * Rollbar's API. Its notifier writes the item (stack, grouping, truncation to what the API takes) and sends nothing: its own way of
 * sending waits for an answer without an end, and with it the handler.
 */
export const rollbar: Destination = {
  name: 'Rollbar',
  unit: 'items',
  batch: 1,
  get url() {
    return itemUrl(config.rollbarEndpoint() ?? defaultEndpoint);
  },
  build: async ([payload]) => ({
    headers: { 'content-type': 'application/json', 'x-rollbar-access-token': config.rollbarAccessToken() ?? '' },
    body: await writeItem(payload as Report),
  }),
};

/** Rollbar's clients take the API's base or the item's own address. */
function itemUrl(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith('/item') ? `${base}/` : `${base}/item/`;
}

async function writeItem(report: Report): Promise<string> {
  const item = await makeItem(report);
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
  return toPayload(item);
}
