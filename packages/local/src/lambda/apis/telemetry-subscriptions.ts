import { type ApiAnswer, type ApiRequest, refusal } from './runtime-api.ts';

const knownTypes = ['platform', 'function', 'extension'] as const;
type RecordType = (typeof knownTypes)[number];

/**
 * Hosts by which an extension may name itself: on Lambda `sandbox.localdomain` is the environment's
 * own loopback address.
 */
const loopback = new Set(['sandbox.localdomain', 'sandbox', 'localhost', '127.0.0.1', '[::1]']);

/** Of the newest schema; older ones have fewer fields. */
const schemas = new Set(['2022-07-01', '2022-12-13', '2025-01-29']);

/** Lambda's defaults: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html */
const defaultBuffering = { maxItems: 10_000, maxBytes: 262_144, timeoutMs: 1000 };
const deliveryMilliseconds = 5000;

interface Subscription {
  types: Set<string>;
  uri: string;
  buffering: typeof defaultBuffering;
  records: unknown[];
  bytes: number;
  dropped: number;
  timer?: NodeJS.Timeout;
  inFlight: boolean;
  delivering: Promise<void>;
}

/**
 * The Telemetry API of one environment: batches of what the platform, the function and extensions
 * say, posted to a server on loopback.
 */
export class TelemetrySubscriptions {
  readonly #subscriptions: Subscription[] = [];
  #early: { type: RecordType; record: unknown }[] = [];
  #keepEarly = true;

  /**
   * `PUT /2022-07-01/telemetry` of a registered extension. Only HTTP destinations: a TCP one is
   * refused.
   */
  subscribe(request: Pick<ApiRequest, 'body'>): ApiAnswer {
    let document: Record<string, unknown>;
    try {
      document = JSON.parse(request.body.toString('utf8'));
    } catch {
      return refusal(400, 'ValidationError', 'The body is not valid JSON');
    }
    const { schemaVersion, types, destination, buffering } = document ?? {};
    if (!schemas.has(String(schemaVersion))) {
      return refusal(400, 'ValidationError', `schemaVersion must be one of ${[...schemas].join(', ')}`);
    }
    if (!Array.isArray(types) || types.length === 0 || !types.every((type) => knownTypes.includes(type))) {
      return refusal(400, 'ValidationError', `types must be an array of ${knownTypes.join(', ')}`);
    }
    const uri = destinationUri(destination);
    if (!uri) {
      return refusal(
        400,
        'ValidationError',
        'destination must be {"protocol":"HTTP","URI":"http://sandbox.localdomain:<port>"}',
      );
    }
    this.#subscriptions.push({
      types: new Set(types),
      uri,
      buffering: { ...defaultBuffering, ...numbersOf(buffering) },
      records: [],
      bytes: 0,
      dropped: 0,
      inFlight: false,
      delivering: Promise.resolve(),
    });
    // An extension that subscribes during init gets what was said before, as on Lambda.
    for (const { type, record } of this.#early) this.add(type, record, this.#subscriptions.at(-1));
    return { status: 200, body: 'OK', headers: { 'Content-Type': 'text/plain' } };
  }

  /** From here on nothing is kept for those who have not subscribed. */
  initEnded(): void {
    this.#early = [];
    this.#keepEarly = false;
  }

  add(type: RecordType, record: unknown, only?: Subscription): void {
    if (!only && this.#keepEarly && this.#early.length < 1000) this.#early.push({ type, record });
    for (const subscription of only ? [only] : this.#subscriptions) {
      if (!subscription.types.has(type)) continue;
      const bytes = JSON.stringify(record).length;
      if (subscription.bytes + bytes > 4 * subscription.buffering.maxBytes) {
        subscription.dropped += 1;
        continue;
      }
      subscription.records.push(record);
      subscription.bytes += bytes;
      const { maxItems, maxBytes } = subscription.buffering;
      if (subscription.records.length >= maxItems || subscription.bytes >= maxBytes) this.#deliver(subscription);
      else this.#deliverLater(subscription);
    }
  }

  /**
   * Delivers what is buffered; resolves when every destination has answered or has been given up.
   */
  async flush(): Promise<void> {
    await Promise.all(
      this.#subscriptions.map(async (subscription) => {
        await subscription.delivering;
        this.#deliver(subscription);
        await subscription.delivering;
        clearTimeout(subscription.timer);
      }),
    );
  }

  #deliver(subscription: Subscription): void {
    // One batch at a time: a slow destination fills the buffer, which is bounded, and not the
    // memory.
    if (subscription.inFlight) return;
    clearTimeout(subscription.timer);
    subscription.timer = undefined;
    const batch = subscription.records;
    if (subscription.dropped > 0) {
      const record = { reason: 'The destination is too slow', droppedRecords: subscription.dropped };
      batch.push({ time: new Date().toISOString(), type: 'platform.logsDropped', record });
      subscription.dropped = 0;
    }
    if (batch.length === 0) return;
    subscription.records = [];
    subscription.bytes = 0;
    subscription.inFlight = true;
    subscription.delivering = post(subscription.uri, batch).then((delivered) => {
      subscription.inFlight = false;
      if (!delivered) subscription.dropped += batch.length;
      if (subscription.records.length > 0) this.#deliverLater(subscription);
    });
  }

  #deliverLater(subscription: Subscription): void {
    subscription.timer ??= setTimeout(() => {
      // Cleared here: a delivery in flight takes nothing now, and a later one must be scheduled.
      subscription.timer = undefined;
      this.#deliver(subscription);
    }, subscription.buffering.timeoutMs).unref();
  }
}

async function post(uri: string, batch: unknown[]): Promise<boolean> {
  try {
    const response = await fetch(uri, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      redirect: 'error',
      signal: AbortSignal.timeout(deliveryMilliseconds),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * @returns where to post, with the environment's own name for loopback replaced; undefined where it
 * is not HTTP on loopback.
 */
function destinationUri(destination: unknown): string | undefined {
  if (typeof destination !== 'object' || destination === null) return undefined;
  const { protocol, URI } = destination as { protocol?: unknown; URI?: unknown };
  if (protocol !== 'HTTP' || typeof URI !== 'string' || !URL.canParse(URI)) return undefined;
  const url = new URL(URI);
  if (url.protocol !== 'http:' || !loopback.has(url.hostname)) return undefined;
  if (url.hostname.startsWith('sandbox')) url.hostname = '127.0.0.1';
  return url.href;
}

function numbersOf(buffering: unknown): Partial<typeof defaultBuffering> {
  if (typeof buffering !== 'object' || buffering === null) return {};
  const known = Object.entries(buffering).filter(
    ([name, value]) => name in defaultBuffering && typeof value === 'number' && value > 0,
  );
  return Object.fromEntries(known);
}
