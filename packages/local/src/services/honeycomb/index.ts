import { HttpError } from '../../http/http-error.ts';
import type { Queries } from '../../query/queries.ts';
import { isObject, toJsonText } from '../../receiver/json.ts';
import {
  json,
  type Receiver,
  type ReceiverAnswer,
  type ReceiverLimits,
  type ReceiverRequest,
} from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { parseBody } from './body.ts';
import { batchEvent, eventRecord, type HoneycombEvent, honeycombLimits, isSpan, unacceptable } from './event.ts';
import { createQueryApi } from './query-api.ts';

const receiverName = 'honeycomb';
const accepted = 202;

/**
 * Honeycomb's Events API (POST /1/events/<dataset>, POST /1/batch/<dataset>) and GET /1/auth. Any
 * key will do, but there must be one, as there. With `queries` also its query API over what was
 * received: see query-api.ts.
 */
export function honeycombReceiver(sink: TelemetrySink, limits: ReceiverLimits, queries?: Queries): Receiver {
  const queryApi = queries && createQueryApi(queries, limits);

  /** @returns why the event was not taken, or undefined when it was. */
  function take(event: HoneycombEvent, bytes: number): string | undefined {
    const reason =
      bytes > honeycombLimits.eventBytes
        ? `Event is larger than ${honeycombLimits.eventBytes} bytes`
        : unacceptable(event.data);
    if (reason) return reason;
    try {
      const record = eventRecord(event, Date.now());
      if (isSpan(record)) sink.span(record);
      else sink.log(record);
      return undefined;
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  }

  async function answerEvent(request: ReceiverRequest, dataset: string): Promise<ReceiverAnswer> {
    const body = await request.body(honeycombLimits.eventBytes);
    const data = parseBody(body, request, limits);
    if (!isObject(data)) throw new HttpError(400, 'Request body is malformed and cannot be read: it must be an object');
    const time = request.headers['x-honeycomb-event-time'];
    const sampleRate = request.headers['x-honeycomb-samplerate'];
    const reason = take({ dataset, data, time, sampleRate }, body.length);
    if (reason) throw new HttpError(400, reason);
    return { status: 200 };
  }

  async function answerBatch(request: ReceiverRequest, dataset: string): Promise<ReceiverAnswer> {
    const body = await request.body(honeycombLimits.batchBytes);
    const elements = parseBody(body, request, limits);
    if (!Array.isArray(elements))
      throw new HttpError(400, 'Request body is malformed and cannot be read: it must be an array');
    // An answer for each of millions of empty events would be twenty times as large as the request.
    if (elements.length > limits.records) {
      throw new HttpError(413, `Request body is too large: more than ${limits.records} events in one batch`);
    }
    const statuses = elements.map((element, index) => {
      const event = batchEvent(dataset, element);
      // In a small batch no event is too large, and need not be written again to be measured.
      const bytes = body.length > honeycombLimits.eventBytes ? sizeOf(element) : 0;
      const reason = typeof event === 'string' ? event : take(event, bytes);
      if (!reason) return { status: accepted };
      sink.rejected(receiverName, 'event not acceptable', `${dataset}[${index}]: ${reason}`);
      return { status: 400, error: reason };
    });
    return json(200, statuses);
  }

  return {
    name: receiverName,
    handles: (request) => request.path.startsWith('/1/'),
    async answer(request) {
      const [, kind = '', encoded = '', ...rest] = request.path.split('/').slice(1);
      if (!request.headers['x-honeycomb-team']) throw new HttpError(401, 'unknown API key - check your credentials');
      if (kind === 'auth' && request.method === 'GET' && !encoded)
        return json(200, authorization(queries !== undefined));
      const answer = await queryApi?.(request);
      if (answer) return answer;
      if ((kind !== 'events' && kind !== 'batch') || rest.length > 0) {
        throw new HttpError(
          404,
          `${request.path} is not supported here: only events, queries, query results, columns and datasets are.`,
        );
      }
      if (request.method !== 'POST') throw new HttpError(405, `Events are sent by POST, not ${request.method}.`);
      const dataset = decoded(encoded);
      if (!dataset) throw new HttpError(400, 'The dataset is missing from the path.');
      return kind === 'events' ? answerEvent(request, dataset) : answerBatch(request, dataset);
    },
    refuse: (error) => json(error.status, { error: error.message }),
  };
}

function sizeOf(element: unknown): number {
  return Buffer.byteLength(toJsonText(element));
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** What Honeycomb says of a key; of a local one, that it may send events and ask. */
function authorization(asks: boolean) {
  return {
    id: 'local',
    type: asks ? 'configuration' : 'ingest',
    api_key_access: {
      events: true,
      markers: false,
      triggers: false,
      boards: false,
      queries: asks,
      columns: asks,
      createDatasets: true,
      slos: false,
      recipients: false,
      privateBoards: false,
    },
    environment: { name: 'local', slug: 'local' },
    team: { name: 'local', slug: 'local' },
  };
}
