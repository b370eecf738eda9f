// All facts about a node, each once: X-Ray and OpenTelemetry say mostly the same about it, in
// different words.
import { clock } from '../../../format/time.ts';
import type { TraceNode } from '../../../trace/trace.ts';

/**
 * The attributes in which OpenTelemetry has what X-Ray has own fields for; any other field `name`
 * is the attribute `aws.name`.
 */
const attributesOfFields: Record<string, string> = {
  region: 'cloud.region',
  table_name: 'aws.dynamodb.table_names',
  table_names: 'aws.dynamodb.table_names',
  queue_url: 'aws.sqs.queue.url',
};

/** A span's fields other than its attributes. */
const besides = [
  'serviceName',
  'scopeName',
  'scopeVersion',
  'statusMessage',
  'traceState',
  'flags',
  'sampleRate',
  'dropped',
  'context',
] as const satisfies readonly (keyof TraceNode)[];

/** @returns key and value by OpenTelemetry's keys where it has one, then what X-Ray alone says. */
export function fieldsOf(node: TraceNode): [string, string][] {
  const { attributes, annotations, metadata, aws = {} } = node;
  const fields = new Map(Object.entries(attributes));
  for (const key of besides) if (node[key] !== undefined) fields.set(key, node[key]);
  for (const [key, value] of Object.entries(node.resource ?? {})) fields.set(`resource ${key}`, value);
  for (const { name, time, attributes: own } of node.events ?? []) fields.set(`event ${name} at ${clock(time)}`, own);
  for (const { traceId, spanId, ...link } of node.links ?? []) fields.set(`link to ${traceId} ${spanId}`, link);
  const add = (key: string, value: unknown, said: readonly string[]) => {
    if (said.some((other) => isSame(fields.get(other), value))) return;
    fields.set(fields.has(key) ? `${key} (X-Ray)` : key, value);
  };
  // X-Ray takes no other characters in the key of an annotation.
  const ofAnnotations = Object.groupBy(fields.keys(), (key) => key.replace(/[^A-Za-z0-9_]/g, '_'));
  for (const [key, value] of Object.entries(annotations)) add(key, value, ofAnnotations[key] ?? []);
  for (const [namespace, members] of Object.entries(metadata)) {
    const isObject = typeof members === 'object' && members !== null && !Array.isArray(members);
    for (const [key, value] of isObject ? Object.entries(members) : [['', members] as const]) {
      if (namespace === 'default' && key !== '') add(key, value, [key]);
      else add(key === '' ? namespace : `${namespace}.${key}`, value, []);
    }
  }
  for (const [key, value] of Object.entries(aws)) add(key, value, [attributesOfFields[key] ?? `aws.${key}`]);
  return [...fields].map(([key, value]) => [key, written(value)]);
}

function written(value: unknown): string {
  return typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value);
}

/** OpenTelemetry has JSON where X-Ray has an object, and a list of one where X-Ray has a text. */
function isSame(attribute: unknown, value: unknown): boolean {
  if (attribute === undefined) return false;
  const [one, other] = [written(attribute), written(value)];
  return one === other || one === JSON.stringify([value]);
}
