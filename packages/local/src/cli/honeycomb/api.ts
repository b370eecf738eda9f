import { setTimeout } from 'node:timers/promises';
import { LocalFailure } from '../../local-failure.ts';
import { isObject, type JsonObject } from '../../query/problems.ts';

export interface ApiOptions {
  /** `https://api.honeycomb.io`, or `https://api.eu1.honeycomb.io`. */
  url: string;
  key: string;
  signal: AbortSignal;
}

/** A key's rights, and the environment it belongs to. Source: docs.honeycomb.io/api/auth. */
export interface Authorization {
  rights: Record<string, boolean>;
  type: string;
  /** Empty in a classic account. */
  environment: string;
  team: string;
}

const patienceMilliseconds = 30_000;
/** A rate limit that passes sooner is waited for. */
const longestWaitSeconds = 60;
const mostTries = 4;

/**
 * Honeycomb's API, as far as queries, boards and markers need it. Each failure is a sentence that
 * says what to do.
 */
export class HoneycombApi {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** @throws LocalFailure when Honeycomb does not know the key. */
  async authorization(): Promise<Authorization> {
    const found = await this.send('GET', '/1/auth');
    const read = (value: unknown): JsonObject => (isObject(value) ? value : {});
    const body = read(found);
    const rights = Object.entries(read(body.api_key_access)).map(([name, given]) => [name, given === true] as const);
    return {
      rights: Object.fromEntries(rights),
      type: String(body.type ?? ''),
      environment: String(read(body.environment).slug ?? ''),
      team: String(read(body.team).slug ?? ''),
    };
  }

  /**
   * @returns the answer's JSON; undefined where it has none.
   * @throws LocalFailure for an answer that is an error, for no answer, and for a rate limit that
   *   lasts.
   */
  async send(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const response = await this.#fetch(method, path, body);
      if (response.ok) return read(response, `${method} ${path}`);
      const wait = response.status === 429 ? waitSeconds(response.headers) : undefined;
      if (wait === undefined || wait > longestWaitSeconds || tries >= mostTries) {
        throw new LocalFailure(await this.#reason(response, method, path, wait));
      }
      await response.body?.cancel();
      await setTimeout(wait * 1000, undefined, { signal: this.#options.signal });
    }
  }

  async #fetch(method: string, path: string, body: object | undefined): Promise<Response> {
    const { url, key, signal } = this.#options;
    try {
      return await fetch(new URL(path, url), {
        method,
        headers: {
          'x-honeycomb-team': key,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)]),
        redirect: 'error',
      });
    } catch (error) {
      if (signal.aborted) throw new LocalFailure('Interrupted.');
      const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
      const reason = name === 'TimeoutError' ? 'no answer within 30 s' : (cause?.code ?? cause?.message ?? message);
      throw new LocalFailure(
        `Honeycomb cannot be reached at ${new URL(url).origin} (${reason}). Nothing more was changed.`,
      );
    }
  }

  async #reason(response: Response, method: string, path: string, wait: number | undefined): Promise<string> {
    const { status } = response;
    const said = await errorText(response);
    const { origin } = new URL(this.#options.url);
    if (status === 401) {
      return `Honeycomb does not know this API key (401 from ${origin}). Check HONEYCOMB_API_KEY, and the region: EU keys need --api-url https://api.eu1.honeycomb.io.`;
    }
    if (status === 403) return `The API key has no right to ${method} ${path} (403). ${said}`.trim();
    if (status === 429) {
      const when = wait === undefined ? 'later' : `in ${wait} s`;
      return `Honeycomb's rate limit is reached (429 for ${method} ${path}). Try again ${when}: what was done already is not done twice.`;
    }
    if (status >= 500) return `Honeycomb failed (${status} for ${method} ${path}). Try again later. ${said}`.trim();
    return `Honeycomb refused ${method} ${path} (${status}). ${said}`.trim();
  }
}

async function read(response: Response, what: string): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new LocalFailure(`What answered ${what} with ${response.status} is not Honeycomb: its answer is not JSON.`);
  }
}

/** @returns what Honeycomb says of an error: its sentence, and each field that is wrong. */
async function errorText(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const body: unknown = JSON.parse(text);
    if (!isObject(body)) return '';
    const details = Array.isArray(body.type_detail) ? body.type_detail.filter(isObject) : [];
    const fields = details.map(({ field, description }) => [field, description].filter(Boolean).join(': '));
    return fields.length > 0 ? `${fields.join('; ')}.` : String(body.detail ?? body.error ?? '');
  } catch {
    return text.slice(0, 200);
  }
}

/**
 * Honeycomb sends both: `Retry-After`, in seconds or as a date, and `RateLimit: …,
 * reset=<seconds>`.
 */
function waitSeconds(headers: Headers): number | undefined {
  const after = headers.get('retry-after');
  if (after !== null) {
    const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, Math.ceil(seconds));
  }
  const reset = /reset=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return reset === undefined ? undefined : Number(reset);
}
