import type { TelemetrySink } from '../../store/records.ts';
import {
  type Intake,
  type IntakeAnswer,
  IntakeError,
  type IntakeLimits,
  type IntakeRequest,
  json,
  mediaType,
} from '../http.ts';
import { isObject, parseJson } from '../json.ts';
import { batchEvent, eventRecord, HONEYCOMB_LIMITS, type HoneycombEvent, isSpan, unacceptable } from './event.ts';

const NAME = 'honeycomb';
const ACCEPTED = 202;

/**
 * Honeycomb's Events API (POST /1/events/<dataset>, POST /1/batch/<dataset>) and GET /1/auth. Any key will do, but there
 * must be one, as there.
 */
export function honeycombIntake(sink: TelemetrySink, limits: IntakeLimits): Intake {
  /** @returns why the event was not taken, or undefined when it was. */
  function take(event: HoneycombEvent, bytes: number): string | undefined {
    const reason =
      bytes > HONEYCOMB_LIMITS.eventBytes
        ? `Event is larger than ${HONEYCOMB_LIMITS.eventBytes} bytes`
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

  async function answerEvent(request: IntakeRequest, dataset: string): Promise<IntakeAnswer> {
    const body = await request.body(HONEYCOMB_LIMITS.eventBytes);
    const data = parseJson(body, limits);
    if (!isObject(data))
      throw new IntakeError(400, 'Request body is malformed and cannot be read: it must be an object');
    const time = request.headers['x-honeycomb-event-time'];
    const sampleRate = request.headers['x-honeycomb-samplerate'];
    const reason = take({ dataset, data, time, sampleRate }, body.length);
    if (reason) throw new IntakeError(400, reason);
    return { status: 200 };
  }

  async function answerBatch(request: IntakeRequest, dataset: string): Promise<IntakeAnswer> {
    const body = await request.body(HONEYCOMB_LIMITS.batchBytes);
    const elements = parseJson(body, limits);
    if (!Array.isArray(elements))
      throw new IntakeError(400, 'Request body is malformed and cannot be read: it must be an array');
    const statuses = elements.map((element, index) => {
      const event = batchEvent(dataset, element);
      const tooMany = index >= limits.records ? `more than ${limits.records} events in one request` : undefined;
      // In a small batch no event is too large, and need not be written again to be measured.
      const bytes = body.length > HONEYCOMB_LIMITS.eventBytes ? sizeOf(element) : 0;
      const reason = tooMany ?? (typeof event === 'string' ? event : take(event, bytes));
      if (!reason) return { status: ACCEPTED };
      sink.rejected(NAME, 'event not acceptable', `${dataset}[${index}]: ${reason}`);
      return { status: 400, error: reason };
    });
    return json(200, statuses);
  }

  return {
    name: NAME,
    handles: (request) => request.path.startsWith('/1/'),
    async answer(request) {
      const [, kind = '', encoded = '', ...rest] = request.path.split('/').slice(1);
      if (!request.headers['x-honeycomb-team']) throw new IntakeError(401, 'unknown API key - check your credentials');
      if (kind === 'auth' && request.method === 'GET' && !encoded) return json(200, AUTHORIZATION);
      if ((kind !== 'events' && kind !== 'batch') || rest.length > 0) {
        throw new IntakeError(404, `${request.path} is not supported here: only /1/events, /1/batch and /1/auth are.`);
      }
      if (request.method !== 'POST') throw new IntakeError(405, `Events are sent by POST, not ${request.method}.`);
      const dataset = decoded(encoded);
      if (!dataset) throw new IntakeError(400, 'The dataset is missing from the path.');
      const type = mediaType(request.headers);
      // Honeycomb takes all else for JSON: its documentation's own `curl -d` says that it sends a form.
      if (type.includes('msgpack')) {
        throw new IntakeError(415, `Content-Type "${type}" is not supported here: use application/json.`);
      }
      return kind === 'events' ? answerEvent(request, dataset) : answerBatch(request, dataset);
    },
    refuse: (error) => json(error.status, { error: error.message }),
  };
}

function sizeOf(element: unknown): number {
  return Buffer.byteLength(JSON.stringify(element));
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** What Honeycomb tells of a key: of a local one, that it may send events and no more. */
const AUTHORIZATION = {
  id: 'local',
  type: 'ingest',
  api_key_access: {
    events: true,
    markers: false,
    triggers: false,
    boards: false,
    queries: false,
    columns: false,
    createDatasets: true,
    slos: false,
    recipients: false,
    privateBoards: false,
  },
  environment: { name: 'local', slug: 'local' },
  team: { name: 'local', slug: 'local' },
};
