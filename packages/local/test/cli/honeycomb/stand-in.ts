import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Json = Record<string, unknown>;

/**
 * Honeycomb as its documentation describes it (docs.honeycomb.io/api, 2026): it refuses what that
 * refuses.
 */
export interface StandIn {
  url: string;
  queries: Map<string, Json>;
  annotations: Map<string, Json>;
  boards: Map<string, Json>;
  markers: Json[];
  /** Method and path of each request. */
  requests: string[];
  key: { rights: Record<string, boolean>; type: string; environment: string };
  /** Answers in place of the next requests. */
  next: { status: number; headers?: Record<string, string>; body?: string }[];
  stop(): Promise<void>;
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const only = (body: Json, allowed: string[]) => {
  for (const key of Object.keys(body)) if (!allowed.includes(key)) throw new Refusal(422, `unknown field ${key}`);
};
const lengthOf = (value: unknown, field: string, least: number, most: number) => {
  if (typeof value !== 'string' || value.length < least || value.length > most)
    throw new Refusal(422, `${field}: wrong length`);
};

const sampleQuery = [
  'breakdowns',
  'calculations',
  'filters',
  'filter_combination',
  'granularity',
  'orders',
  'limit',
  'start_time',
  'end_time',
  'time_range',
  'havings',
  'calculated_fields',
  'compare_time_offset_seconds',
];

export async function startStandIn(): Promise<StandIn> {
  let made = 0;
  const id = () => `id${String(++made).padStart(9, '0')}`;
  const state: Omit<StandIn, 'url' | 'stop'> = {
    queries: new Map(),
    annotations: new Map(),
    boards: new Map(),
    markers: [],
    requests: [],
    next: [],
    key: {
      rights: { queries: true, boards: true, markers: true, columns: true },
      type: 'configuration',
      environment: 'test',
    },
  };

  function respond(method: string, path: string, body: Json): [number, unknown] {
    const [, kind = '', dataset = '', given = ''] = path.split('/').slice(1).map(decodeURIComponent);
    const need = (right: string) => {
      if (!state.key.rights[right]) throw new Refusal(403, 'missing permission');
    };
    if (kind === 'auth') {
      const { rights, type, environment } = state.key;
      return [
        200,
        { type, api_key_access: rights, environment: { slug: environment, name: environment }, team: { slug: 'team' } },
      ];
    }
    if (kind === 'queries') {
      need('queries');
      if (method === 'GET') return [200, stored(state.queries, given)];
      if (method !== 'POST' || given) throw new Refusal(405, 'queries cannot be changed');
      only(body, sampleQuery);
      // It fills in its defaults, and leaves out what is one.
      const query = { id: id(), time_range: 7200, limit: 1000, ...body };
      state.queries.set(query.id, query);
      return [200, query];
    }
    if (kind === 'query_annotations') {
      need('queries');
      if (method === 'GET') return [200, given ? stored(state.annotations, given) : [...state.annotations.values()]];
      if (method === 'DELETE') {
        stored(state.annotations, given);
        const shown = [...state.boards.values()].some((board) => JSON.stringify(board).includes(given));
        if (shown) throw new Refusal(409, 'a board shows it');
        state.annotations.delete(given);
        return [204, undefined];
      }
      only(body, ['name', 'description', 'query_id']);
      lengthOf(body.name, 'name', 1, 320);
      if (body.description !== undefined) lengthOf(body.description, 'description', 0, 1023);
      stored(state.queries, String(body.query_id), 422);
      if (method === 'PUT') {
        const before = stored(state.annotations, given);
        if (before.query_id !== body.query_id) throw new Refusal(422, 'query_id cannot be changed');
        state.annotations.set(given, { ...before, ...body });
        return [200, state.annotations.get(given)];
      }
      const annotation = { id: id(), source: 'query', created_at: '2026-01-01T00:00:00Z', ...body };
      state.annotations.set(annotation.id, annotation);
      return [201, annotation];
    }
    if (kind === 'boards') {
      need('boards');
      if (method === 'GET') return [200, [...state.boards.values()]];
      only(body, ['name', 'description', 'type', 'layout_generation', 'panels', 'tags', 'preset_filters']);
      lengthOf(body.name, 'name', 1, 255);
      if (body.type !== 'flexible') throw new Refusal(422, 'type must be flexible');
      const places = new Set<string>();
      for (const panel of (body.panels ?? []) as Json[]) checkPanel(panel, places);
      const board = { id: dataset || id(), ...body };
      if (method === 'PUT') stored(state.boards, dataset);
      state.boards.set(board.id, board);
      return [method === 'PUT' ? 200 : 201, board];
    }
    if (kind === 'markers' && method === 'POST') {
      need('markers');
      only(body, ['start_time', 'end_time', 'message', 'type', 'url']);
      const marker = { id: id(), ...body };
      state.markers.push({ dataset, ...marker });
      return [201, marker];
    }
    throw new Refusal(404, 'not found');
  }

  function checkPanel(panel: Json, places: Set<string>): void {
    const position = panel.position as Record<string, number>;
    const place = `${position.x_coordinate},${position.y_coordinate}`;
    if (places.has(place)) throw new Refusal(422, 'panels overlap');
    places.add(place);
    if (panel.type !== 'query') return;
    const { query_id, query_annotation_id, query_style } = panel.query_panel as Record<string, string>;
    if (!['graph', 'table', 'combo'].includes(query_style ?? '')) throw new Refusal(422, 'query_style');
    stored(state.queries, query_id ?? '', 422);
    if (stored(state.annotations, query_annotation_id ?? '', 422).query_id !== query_id)
      throw new Refusal(422, 'the annotation is of another query');
  }

  const stored = (map: Map<string, Json>, key: string, status = 404): Json => {
    const found = map.get(key);
    if (!found) throw new Refusal(status, `${key} not found`);
    return found;
  };

  async function answer(
    request: IncomingMessage,
  ): Promise<{ status: number; headers?: Record<string, string>; body: string }> {
    const { method = '', url = '' } = request;
    const body = await text(request);
    state.requests.push(`${method} ${url}`);
    const instead = state.next.shift();
    if (instead) return { body: '', ...instead };
    try {
      if (request.headers['x-honeycomb-team'] !== 'right-key')
        throw new Refusal(401, 'unknown API key - check your credentials');
      if (body !== '' && request.headers['content-type'] !== 'application/json') throw new Refusal(415, 'content type');
      const [status, value] = respond(method, url, body === '' ? {} : (JSON.parse(body) as Json));
      return { status, body: value === undefined ? '' : JSON.stringify(value) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const problem = {
        status: error.status,
        type: 'https://api.honeycomb.io/problems/x',
        title: 'x',
        error: error.message,
        ...(error.status === 422 && { type_detail: [{ code: 'invalid', field: 'f', description: error.message }] }),
      };
      return { status: error.status, body: JSON.stringify(problem) };
    }
  }

  const server = createServer((request, response) => {
    void answer(request).then(({ status, headers, body }) => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
