import type { TraceNode } from '../trace/trace.ts';
import { redactPath } from './redact-path.ts';
import { markOf, type Piece, type Style } from './style.ts';
import { duration } from './time.ts';

/** The names that X-Ray's console has for origins; any other is shown as it is. */
const origins: Record<string, string> = {
  'AWS::ApiGateway::Stage': 'API Gateway',
  'AWS::Lambda': 'Lambda',
  'AWS::Lambda::Function': 'Lambda function',
};

/**
 * Attributes that repeat the tree: OpenTelemetry's conventions, platform annotations, times, IDs,
 * the service's name.
 */
const conventional =
  /^(aws|client|cloud|code|db|exception|faas|host|http|net|network|os|otel|peer|process|rpc|server|service|telemetry|thread|url|user_agent)[._:]|^(ColdStart|SampleRate|Service|duration_ms|error\.category|error\.type|trace_id)$/;

/** @returns whether a node is the start of a new execution environment. */
export function isInit(node: TraceNode): boolean {
  return node.type === 'subsegment' && (node.name === 'Init' || node.name === 'Initialization');
}

/** @returns the colour of a node's bar. */
export function barStyle(node: TraceNode): Style {
  const mark = markOf(node);
  if (mark) return mark.style;
  if (isInit(node)) return 'cold';
  return node.namespace === 'aws' || node.namespace === 'remote' || node.kind === 'client' ? 'accent' : 'good';
}

function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (Array.isArray(value)) return value.map(text).filter(Boolean).join(', ') || undefined;
  return typeof value === 'number' ? String(value) : undefined;
}

/**
 * @returns the name of a node, and what is said behind it: the AWS operation and table, the HTTP
 * call, what kind of segment it is.
 */
export function labelOf(node: TraceNode): Piece[] {
  const details: (string | undefined)[] = [];
  const { aws = {}, attributes, http } = node;
  if (node.origin) details.push(origins[node.origin] ?? node.origin.replace(/^AWS::/, '').replaceAll('::', ' '));
  if (node.type !== 'segment') {
    details.push(text(aws.operation) ?? text(attributes['rpc.method']));
    details.push(
      text(aws.table_name) ?? text(attributes['aws.dynamodb.table_names']) ?? text(aws.queue_url) ?? undefined,
    );
  }
  if (node.namespace === 'remote' && http) details.push([http.method, pathOf(http.url)].filter(Boolean).join(' '));
  if (http?.status !== undefined && (node.namespace === 'remote' || node.type === 'segment' || http.status >= 400)) {
    details.push(String(http.status));
  }
  if (isInit(node)) details.push('cold start');
  if (node.orphan) details.push('(its parent has not arrived)');
  const said = details.filter((detail): detail is string => Boolean(detail) && !node.name.includes(detail ?? ''));
  const pieces: Piece[] = [{ text: node.name, style: isInit(node) ? 'cold' : 'plain' }];
  for (const detail of said) pieces.push({ text: ` ${detail}`, style: 'dim' });
  return pieces;
}

/**
 * @returns path and query of an absolute URL, or the text itself when it is not a URL; secrets in the
 * query are redacted.
 */
export function pathOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : redactPath(url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(?=[/?#])/i, ''));
}

/**
 * @returns `key=value` for what the service itself has said about a node, the annotations before
 * OpenTelemetry's attributes.
 */
export function annotationsOf(node: TraceNode): string[] {
  const own = Object.entries(node.annotations).filter(([key]) => !conventional.test(key));
  const entries = own.length > 0 ? own : Object.entries(node.attributes).filter(([key]) => !conventional.test(key));
  return entries.map(([key, value]) => `${key}=${inline(value)}`);
}

/** @returns a line for each span event that is not an exception, and for each link. */
export function eventsOf({ events = [], links = [], start }: TraceNode): string[] {
  const told = events
    .filter(({ name }) => name !== 'exception')
    .map(({ name, time, attributes }) => [`${name} +${duration(time - start)}`, ...pairsOf(attributes)].join(' '));
  const linked = links.map(({ traceId, spanId, attributes }) =>
    [`linked to trace ${traceId} span ${spanId}`, ...pairsOf(attributes)].join(' '),
  );
  return [...told, ...linked];
}

/** @returns `key=value` for each attribute. */
export function pairsOf(attributes: Record<string, unknown>): string[] {
  return Object.entries(attributes).map(([key, value]) => `${key}=${inline(value)}`);
}

/** @returns the names of the services that sent spans of a trace. */
export function servicesOf(nodes: Iterable<TraceNode>): Set<string> {
  return new Set([...nodes].flatMap(({ serviceName }) => serviceName ?? []));
}

/**
 * @returns a value as it stands behind `key=`: an error as its name and message, an object as JSON,
 * all of it short.
 */
export function inline(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 500);
  if (value === null || typeof value !== 'object') return String(value);
  const { name, message } = value as { name?: unknown; message?: unknown };
  if (typeof message === 'string') return `${typeof name === 'string' ? `${name}: ` : ''}${message}`.slice(0, 500);
  try {
    return (JSON.stringify(value) ?? '').slice(0, 500);
  } catch {
    // Thousands of levels deep: valid JSON that JSON.stringify cannot write again.
    return '{…}';
  }
}
