import type { IncomingHttpHeaders } from 'node:http';
import type { TelemetrySink } from '../trace/records.ts';
import { ForwardReport } from './forward-report.ts';

/** A real service that gets what the local receiver has taken. */
export interface ForwardTarget {
  /** For the words of a loss: `otlp`, `rollbar`. */
  name: string;
  /** Path of the local receiver, as a prefix: `/v1/`. */
  path: string;
  /** Where a request for that path goes: `https://api.honeycomb.io/v1/traces` for `/v1/traces`. */
  url(path: string): string;
  /**
   * Lower-case names of the headers that carry the key; a request without any of them stays here.
   */
  keys: string[];
  /**
   * `Basic …`, where the URL that was given names a user: no URL that is requested, or shown, may
   * hold one.
   */
  authorization?: string;
}

export interface Forwarder {
  /** Queues a request that was taken; returns at once, never throws. */
  forward(path: string, headers: IncomingHttpHeaders, body: Buffer): void;
  /**
   * Gives what waits a second to be sent, and counts the rest as lost: whoever ends a run does not
   * wait for a service that does not answer.
   */
  stop(): Promise<void>;
}

/** Enough for a burst; a service that is down must not fill this machine's memory. */
const queueLimit = 200;
const requestMilliseconds = 5_000;
const stopMilliseconds = 1_000;

/** Stands where a developer has set no key: a request that carries it stays on this machine. */
export const localKey = 'local';

interface Forwarded {
  target: ForwardTarget;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

/** One service's queue, so that a service that does not answer holds up no other. */
interface Line {
  waiting: Forwarded[];
  /** Ends when nothing waits; undefined while nothing is sent. */
  working: Promise<void> | undefined;
}

/**
 * Sends what the functions have sent here to the real services too, in the background and to each
 * in order, and counts through `sink.rejected` what did not arrive.
 * @param say is told in a sentence, with no key in it, that a service has stopped taking it, and
 *   that it takes it again.
 */
export function createForwarder(
  targets: ForwardTarget[],
  sink: TelemetrySink,
  say: (sentence: string) => void = () => {},
): Forwarder {
  const lines = new Map<ForwardTarget, Line>(targets.map((target) => [target, { waiting: [], working: undefined }]));
  const reports = new Map<ForwardTarget, ForwardReport>();
  const stopping = new AbortController();

  const reportOf = (target: ForwardTarget): ForwardReport => {
    const known = reports.get(target);
    if (known) return known;
    const report = new ForwardReport(`${target.name} (${placeOf(target.url(target.path)).host})`, say);
    reports.set(target, report);
    return report;
  };
  const send = async (request: Forwarded) => {
    const { target, path, headers, body } = request;
    const report = reportOf(target);
    try {
      const answer = await fetch(target.url(path), {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(requestMilliseconds), stopping.signal]),
      });
      await answer.body?.cancel();
      if (answer.ok) {
        report.arrived();
        return;
      }
      sink.rejected(
        `forward ${target.name}`,
        `the service answered ${answer.status}`,
        placeOf(target.url(path)).withoutKeys,
      );
      report.failed(`it answered ${answer.status}`);
    } catch (error) {
      if (stopping.signal.aborted) {
        unsent(request);
        return;
      }
      const cause =
        error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error);
      const reason = withoutKeys(cause, request);
      sink.rejected(`forward ${target.name}`, 'the service was not reached', reason);
      report.failed(reason);
    }
  };
  const unsent = ({ target, path }: Forwarded) =>
    sink.rejected(`forward ${target.name}`, 'the run ended before it was sent', placeOf(target.url(path)).withoutKeys);
  const work = async (line: Line) => {
    for (let next = line.waiting.shift(); next; next = line.waiting.shift()) {
      if (stopping.signal.aborted) unsent(next);
      else await send(next);
    }
    line.working = undefined;
  };

  return {
    forward(path, given, body) {
      const target = targets.find((candidate) => path.startsWith(candidate.path));
      const line = target && lines.get(target);
      if (!line) return;
      const names = [...target.keys, 'content-type'];
      const headers = Object.fromEntries(names.flatMap((name) => (given[name] ? [[name, String(given[name])]] : [])));
      if (!target.keys.some((name) => headers[name] && headers[name] !== localKey)) return;
      if (target.authorization) headers.authorization ??= target.authorization;
      if (line.waiting.length >= queueLimit) {
        line.waiting.shift();
        sink.rejected(
          `forward ${target.name}`,
          'the queue was full, the oldest was dropped',
          placeOf(target.url(path)).withoutKeys,
        );
      }
      line.waiting.push({ target, path, headers, body });
      line.working ??= work(line);
    },
    async stop() {
      const patience = setTimeout(() => stopping.abort(), stopMilliseconds);
      await Promise.all([...lines.values()].map(({ working }) => working));
      clearTimeout(patience);
      for (const report of reports.values()) report.stop();
    },
  };
}

/**
 * @returns what may be shown of an address, which may have a key in its user name, its password or
 * its query.
 */
function placeOf(url: string): { host: string; withoutKeys: string } {
  if (!URL.canParse(url)) return { host: 'no valid address', withoutKeys: 'no valid address' };
  const { host, origin, pathname } = new URL(url);
  return { host, withoutKeys: origin + pathname };
}

/**
 * @returns what an HTTP client says of a failure: it quotes headers and addresses that it does not
 * take.
 */
function withoutKeys(text: string, { target, path, headers }: Forwarded): string {
  const url = target.url(path);
  const keys = target.keys.flatMap((name) => headers[name] ?? []);
  return [url, ...(URL.canParse(url) ? [new URL(url).href] : []), ...keys]
    .filter(Boolean)
    .reduce((result, secret) => result.replaceAll(secret, '…'), text);
}

/**
 * @param environment the functions' own variables, as the template has them.
 * @returns the real services that they name with a key: OTLP by `OTEL_EXPORTER_OTLP_ENDPOINT` and
 *   `OTEL_EXPORTER_OTLP_HEADERS`, Rollbar by `ROLLBAR_ACCESS_TOKEN` (and `ROLLBAR_ENDPOINT`).
 */
export function forwardTargets(environment: Record<string, string>): ForwardTarget[] {
  const targets: ForwardTarget[] = [];
  const { OTEL_EXPORTER_OTLP_ENDPOINT: otlp, OTEL_EXPORTER_OTLP_HEADERS: headers } = environment;
  if (otlp && headers) {
    const keys = headers.split(',').map((pair) => (pair.split('=')[0] ?? '').trim().toLowerCase());
    const { url, ...login } = withoutUser(otlp.replace(/\/+$/, ''));
    targets.push({ name: 'otlp', path: '/v1/', url: (path) => url + path, keys, ...login });
  }
  if (environment.ROLLBAR_ACCESS_TOKEN) {
    // Rollbar's clients take the API's base or the item's own address.
    const base = (environment.ROLLBAR_ENDPOINT || 'https://api.rollbar.com/api/1').replace(/\/+(item\/*)?$/, '');
    const { url, ...login } = withoutUser(`${base}/item/`);
    targets.push({ name: 'rollbar', path: '/api/1/item', url: () => url, keys: ['x-rollbar-access-token'], ...login });
  }
  return targets;
}

/** `fetch` takes no URL that names a user, and says the whole URL in its error. */
function withoutUser(given: string): { url: string; authorization?: string } {
  const parsed = URL.parse(given);
  if (!parsed?.username && !parsed?.password) return { url: given };
  const user = `${decoded(parsed.username)}:${decoded(parsed.password)}`;
  return {
    url: given.replace(/\/\/[^/]*@/, '//'),
    authorization: `Basic ${Buffer.from(user).toString('base64')}`,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
