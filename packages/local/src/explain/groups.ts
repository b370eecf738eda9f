import { isInit, pathOf } from '../format/node.ts';
import type { TraceNode } from '../trace/trace.ts';

/** call: an outgoing call; own: a span of the service; uncovered: its code outside of any span. */
export type GroupKind = 'call' | 'own' | 'uncovered' | 'init' | 'process-start' | 'platform';

export interface Group {
  kind: GroupKind;
  /** Service, operation, table or route, with IDs folded. */
  label: string;
}

/** @returns the group that a node's self time counts for. */
export function groupOf(node: TraceNode): Group {
  if (isInit(node)) return { kind: 'init', label: 'Init (cold start)' };
  if (node.origin?.startsWith('AWS::ApiGateway')) return { kind: 'platform', label: 'API Gateway' };
  if (node.origin === 'AWS::Lambda') return { kind: 'platform', label: 'Lambda' };
  if (node.origin === 'AWS::Lambda::Function') {
    const spans = node.children.some((child) => !isInit(child));
    return spans ? { kind: 'platform', label: "Lambda's runtime" } : uncovered;
  }
  if (node.type === 'subsegment' && node.name === 'Overhead') return { kind: 'platform', label: "Lambda's runtime" };
  if (isInvoke(node)) return { kind: 'platform', label: 'API Gateway' };
  if (node.namespace === 'aws') return { kind: 'call', label: awsCall(node) };
  if (node.namespace === 'remote' || (node.kind === 'client' && node.http))
    return { kind: 'call', label: httpCall(node) };
  if (node.kind === 'client' || node.kind === 'producer') return { kind: 'call', label: foldIds(node.name) };
  if (isHandler(node)) return uncovered;
  return { kind: 'own', label: foldIds(node.name) };
}

export const uncovered: Group = { kind: 'uncovered', label: 'code that no span covers' };

/** @returns whether a node stands for the whole handler, so that its self time belongs to no span. */
function isHandler(node: TraceNode): boolean {
  if (node.name.startsWith('## ') || node.kind === 'server') return true;
  return node.type === 'segment' || (node.type === 'subsegment' && node.name === 'Invocation');
}

/** API Gateway's subsegment around the function. */
function isInvoke({ aws, name, namespace }: TraceNode): boolean {
  return namespace === 'aws' && name === 'Lambda' && aws?.operation === 'Invoke' && 'function_name' in aws;
}

function awsCall({ name, aws = {}, attributes }: TraceNode): string {
  const operation = text(aws.operation) ?? text(attributes['rpc.method']);
  const resource = text(aws.table_name) ?? text(attributes['aws.dynamodb.table_names']) ?? text(aws.queue_url);
  return [name, operation, resource && foldIds(resource)].filter(Boolean).join(' ');
}

function httpCall({ name, http }: TraceNode): string {
  const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(http?.url ?? '')?.[1];
  const path = pathOf(http?.url)?.replace(/[?#].*$/, '') ?? '';
  const target = `${host ?? name}${path.startsWith('/') ? foldIds(path) : ''}`;
  return [http?.method, target].filter(Boolean).join(' ');
}

/** Replaces numbers, UUIDs and long hex or mixed words between slashes by `{id}`. */
export function foldIds(path: string): string {
  const isId = (word: string) =>
    /^\d+$/.test(word) ||
    /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(word) ||
    (/\d/.test(word) && /^[\w.~:-]{20,}$/.test(word));
  return path
    .split('/')
    .map((word, at) => (at > 0 && isId(word) ? '{id}' : word))
    .join('/');
}

function text(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string').join(', ') || undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
