import { type DescMessage, fromBinary, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import { HttpError } from '../../http/http-error.ts';
import { isObject, type JsonObject, parseJson } from '../../receiver/json.ts';
import type { ReceiverLimits } from '../../receiver/receiver.ts';
import {
  type InstrumentationScope,
  InstrumentationScopeSchema,
} from './generated/opentelemetry/proto/common/v1/common_pb.js';
import { type Resource, ResourceSchema } from './generated/opentelemetry/proto/resource/v1/resource_pb.js';
import { assertWireLimits } from './wire.ts';

/** The records of one scope of one resource. */
export interface Batch<Item> {
  resource: Resource | undefined;
  resourceSchemaUrl: string;
  scope: InstrumentationScope | undefined;
  schemaUrl: string;
  items: Item[];
  /** `resourceSpans[0].scopeSpans[2].spans`: where in the request the items are, for messages. */
  place: string;
  /**
   * Where `items` begins to differ from the request: the index there of each item. Absent: the
   * same.
   */
  indexes?: number[];
}

/**
 * One signal's messages and names. The three requests have one shape under different names.
 */
export interface SignalShape<Request extends DescMessage, ItemSchema extends DescMessage> {
  request: Request;
  item: ItemSchema;
  /** JSON names of the three nested lists. */
  keys: readonly [resources: string, scopes: string, items: string];
  batches(request: MessageShape<Request>): Batch<MessageShape<ItemSchema>>[];
}

type RejectItem = (reason: string, place: string, item?: JsonObject) => void;

/** @throws HttpError 400 or 413 when the bytes as a whole are no such request */
export function decodeBinary<Request extends DescMessage, ItemSchema extends DescMessage>(
  body: Uint8Array,
  shape: SignalShape<Request, ItemSchema>,
  limits: ReceiverLimits,
): Batch<MessageShape<ItemSchema>>[] {
  assertWireLimits(body, shape.request, limits);
  try {
    return shape.batches(fromBinary(shape.request, body, { readUnknownFields: false, recursionLimit: limits.depth }));
  } catch (error) {
    throw new HttpError(400, `The body is not a valid ${shape.request.name}: ${(error as Error).message}.`);
  }
}

/**
 * Decodes OTLP's JSON, which is not proto3's: ids are hex digits, not base64. Items are decoded one
 * by one, so that one that is malformed is rejected alone.
 * @throws HttpError 400 or 413 when the text as a whole is not such a request
 */
export function decodeJson<Request extends DescMessage, ItemSchema extends DescMessage>(
  body: Uint8Array,
  shape: SignalShape<Request, ItemSchema>,
  limits: ReceiverLimits,
  reject: RejectItem,
): Batch<MessageShape<ItemSchema>>[] {
  // The protocol takes 64-bit integers as numbers and as strings; protobuf's JSON reads both.
  const request = parseJson(body, { ...limits, integer: (digits) => digits });
  if (!isObject(request)) throw new HttpError(400, 'The body is not a JSON object.');
  const [resourcesKey, scopesKey, itemsKey] = shape.keys;
  const batches: Batch<MessageShape<ItemSchema>>[] = [];
  const resources = request[resourcesKey] ?? [];
  if (!Array.isArray(resources)) throw new HttpError(400, `${resourcesKey} is not an array.`);
  for (const [i, inResource] of resources.entries()) {
    if (!isObject(inResource)) {
      reject(notAnObject, `${resourcesKey}[${i}]`);
      continue;
    }
    const resourcePlace = `${resourcesKey}[${i}]`;
    const resource = part(inResource, 'resource', ResourceSchema, resourcePlace, limits);
    for (const [j, inScope] of list(inResource, scopesKey, resourcePlace, reject)) {
      if (!isObject(inScope)) {
        reject(notAnObject, `${resourcePlace}.${scopesKey}[${j}]`);
        continue;
      }
      const scopePlace = `${resourcePlace}.${scopesKey}[${j}]`;
      const scope = part(inScope, 'scope', InstrumentationScopeSchema, scopePlace, limits);
      const batch: Batch<MessageShape<ItemSchema>> = {
        resource: resource.message,
        resourceSchemaUrl: text(inResource.schemaUrl),
        scope: scope.message,
        schemaUrl: text(inScope.schemaUrl),
        items: [],
        place: `${scopePlace}.${itemsKey}`,
        indexes: [],
      };
      // Records without a service, or with a wrong one, would mislead.
      const fault = resource.fault ?? scope.fault;
      for (const [k, item] of list(inScope, itemsKey, scopePlace, reject)) {
        if (!isObject(item)) {
          reject(notAnObject, `${batch.place}[${k}]`);
          continue;
        }
        if (fault) {
          reject('its resource or scope is not valid OTLP JSON', `${batch.place}[${k}]: ${fault}`, item);
          continue;
        }
        fromOtlpJson(item);
        for (const [place, message] of decoded(shape.item, item, `${batch.place}[${k}]`, limits)) {
          if (message instanceof Error) reject('not valid OTLP JSON', `${place}: ${message.message}`);
          else {
            batch.items.push(message);
            batch.indexes?.push(k);
          }
        }
      }
      batches.push(batch);
    }
  }
  return batches;
}

function read<Schema extends DescMessage>(
  schema: Schema,
  value: unknown,
  limits: ReceiverLimits,
): MessageShape<Schema> {
  return fromJson(schema, value as JsonValue, { ignoreUnknownFields: true, recursionLimit: limits.depth });
}

/**
 * @returns an item with its place, or why it is invalid; of a metric that is invalid as a whole,
 * each of its points as a metric of its own.
 */
function decoded<Schema extends DescMessage>(
  schema: Schema,
  item: JsonObject,
  place: string,
  limits: ReceiverLimits,
): [place: string, message: MessageShape<Schema> | Error][] {
  try {
    return [[place, read(schema, item, limits)]];
  } catch (error) {
    const points = pointsOf(item);
    if (!points || points.list.length < 2) return [[place, error as Error]];
    const { key, data, list } = points;
    return list.flatMap((point, n) =>
      decoded(schema, { ...item, [key]: { ...data, dataPoints: [point] } }, `${place} point ${n}`, limits),
    );
  }
}

const dataKeys = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];

/** @returns the data points of a metric in JSON; undefined for a span or a log record. */
export function pointsOf(item: JsonObject): { key: string; data: JsonObject; list: unknown[] } | undefined {
  for (const key of dataKeys) {
    const data = item[key];
    if (isObject(data) && Array.isArray(data.dataPoints)) return { key, data, list: data.dataPoints };
  }
  return undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const notAnObject = 'not an object';

/** @returns the elements with their indexes; none unless it is an array. */
function list(parent: JsonObject, key: string, place: string, reject: RejectItem): Iterable<[number, unknown]> {
  const value = parent[key] ?? [];
  if (Array.isArray(value)) return value.entries();
  reject('not an array', `${place}.${key}`);
  return [];
}

/** @returns the message, if there is one, or what is wrong with it. */
function part<Schema extends DescMessage>(
  parent: JsonObject,
  key: string,
  schema: Schema,
  place: string,
  limits: ReceiverLimits,
): { message: MessageShape<Schema> | undefined; fault?: string } {
  if (parent[key] === undefined || parent[key] === null) return { message: undefined };
  try {
    return { message: read(schema, parent[key], limits) };
  } catch (error) {
    return { message: undefined, fault: `${place}.${key}: ${(error as Error).message}` };
  }
}

const idKeys = new Set(['traceId', 'spanId', 'parentSpanId']);
const timeKeys = new Set(['startTimeUnixNano', 'endTimeUnixNano', 'timeUnixNano', 'observedTimeUnixNano']);
/** Members that can hold ids or times; attributes cannot, and are most of a request. */
const nestedKeys = new Set([
  'events',
  'links',
  'gauge',
  'sum',
  'histogram',
  'exponentialHistogram',
  'summary',
  'dataPoints',
  'exemplars',
]);

/**
 * Changes ids and times in place to what proto3 JSON has; an invalid one becomes one that
 * validation will reject.
 */
function fromOtlpJson(value: unknown): void {
  if (Array.isArray(value)) {
    for (const element of value) fromOtlpJson(element);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (idKeys.has(key)) value[key] = base64OfHex(value[key]);
      else if (timeKeys.has(key)) value[key] = unsigned(value[key]);
      else if (nestedKeys.has(key)) fromOtlpJson(value[key]);
    }
  }
}

/** One byte: of no length that an id can have. */
const noId = Buffer.alloc(1).toString('base64');
/** The highest fixed64: later than any time that is accepted. */
const noTime = '18446744073709551615';

function base64OfHex(value: unknown): unknown {
  if (value === null || value === undefined || value === '') return '';
  const isHex = typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(value);
  return isHex ? Buffer.from(value, 'hex').toString('base64') : noId;
}

function unsigned(value: unknown): unknown {
  if (value === null || value === undefined) return '0';
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value).toString();
  // Twenty digits hold every fixed64; longer ones would only be parsed to be refused.
  if (typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) <= BigInt(noTime)) return value;
  return noTime;
}
