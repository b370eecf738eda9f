import type { Trace, TraceNode } from '../../../trace/trace.ts';
import { inOrder } from '../../../trace/trace.ts';
import { placesOf, type ServiceNode, servicesOf } from '../services.ts';
import type { BooleanKeyword, Filter, NumberKeyword, Operator, ServiceSelector, StringKeyword } from './grammar.ts';

type Value = string | number | boolean;

/**
 * The subject of a condition. A keyword may have several values, as a trace has several users:
 * one that fits is enough.
 */
interface Subject {
  boolean(name: BooleanKeyword): boolean;
  number(name: NumberKeyword): number[];
  string(name: StringKeyword): string[];
  annotation(key: string): Value[];
}

/**
 * @returns whether a trace is one that the expression asks for. A comparison with what a trace
 *   does not have is never true, also with `!=`.
 */
export function matches(filter: Filter, trace: Trace): boolean {
  let map: ReturnType<typeof servicesOf> | undefined;
  const services = () => {
    map ??= servicesOf(trace);
    return map;
  };
  const holds = (part: Filter, subject: Subject): boolean => {
    switch (part.kind) {
      case 'and':
        return part.parts.every((each) => holds(each, subject));
      case 'or':
        return part.parts.some((each) => holds(each, subject));
      case 'not':
        return !holds(part.part, subject);
      case 'service':
        return services().services.some(
          (service) => selected(service, part.service) && (!part.where || holds(part.where, ofService(service))),
        );
      case 'edge':
        return services().edges.some(
          ({ from, to, call }) =>
            selected(from, part.from) &&
            selected(to, part.to) &&
            (!part.where || holds(part.where, ofService({ ...to, node: call, parts: [call] }))),
        );
      case 'compare': {
        const { keyword, operator, value } = part;
        if (keyword.kind === 'boolean') return compare(subject.boolean(keyword.name), operator, value);
        const values =
          keyword.kind === 'annotation'
            ? subject.annotation(keyword.key)
            : keyword.kind === 'number'
              ? subject.number(keyword.name)
              : subject.string(keyword.name);
        return values.some((each) => compare(each, operator, value));
      }
    }
  };
  return holds(filter, ofTrace(trace));
}

function selected(service: ServiceNode, { name, type, accountId }: ServiceSelector): boolean {
  return (
    (name === undefined || service.name === name) &&
    (type === undefined || service.type === type) &&
    (accountId === undefined || service.accountId === accountId)
  );
}

function compare(one: Value, operator: Operator, other: Value): boolean {
  if (typeof one !== typeof other) return false;
  if (operator === '=') return one === other;
  if (operator === '!=') return one !== other;
  if (typeof one === 'string' && typeof other === 'string') {
    if (operator === 'CONTAINS') return one.includes(other);
    if (operator === 'BEGINSWITH') return one.startsWith(other);
    return operator === 'ENDSWITH' && one.endsWith(other);
  }
  if (typeof one !== 'number' || typeof other !== 'number') return false;
  if (operator === '<') return one < other;
  if (operator === '<=') return one <= other;
  if (operator === '>') return one > other;
  return operator === '>=' && one >= other;
}

function present<T>(...values: (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

function annotationsOf(nodes: Iterable<TraceNode>, key: string): Value[] {
  const values: Value[] = [];
  for (const { annotations } of nodes) {
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') values.push(value);
  }
  return values;
}

/**
 * The trace level: its root segment, the request that it answered, and every annotation and user in
 * it.
 */
function ofTrace(trace: Trace): Subject {
  const nodes = [...inOrder(trace.roots)];
  const root = nodes[0];
  const requested = nodes.find(({ http, type }) => http && type === 'segment');
  return {
    boolean(name) {
      if (name === 'ok') return !(trace.error || trace.fault || trace.throttle);
      if (name === 'partial') return trace.inProgress || nodes.some(({ orphan }) => orphan);
      return name === 'error' || name === 'fault' || name === 'throttle' ? trace[name] : false;
    },
    number(name) {
      if (name === 'http.status') return present(trace.http?.status);
      return name === 'duration'
        ? [(trace.end - trace.start) / 1000]
        : present(root?.duration).map((duration) => duration / 1000);
    },
    string(name) {
      if (name === 'user') return present(...nodes.map(({ user }) => user));
      return ofRequest(name, requested) ?? ofPlace(name, nodes);
    },
    annotation: (key) => annotationsOf(nodes, key),
  };
}

function ofService(service: ServiceNode): Subject {
  const { node, parts } = service;
  return {
    boolean(name) {
      if (name === 'ok') return !(node.error || node.fault || node.throttle);
      if (name === 'partial') return node.inProgress || node.orphan;
      if (name === 'inferred' || name === 'remote' || name === 'root') return service[name];
      return node[name];
    },
    number(name) {
      if (name === 'http.status') return present(node.http?.status);
      return present(node.duration).map((duration) => duration / 1000);
    },
    string(name) {
      if (name === 'name') return [service.name];
      if (name === 'type') return present(service.type);
      if (name === 'message') return present(...parts.flatMap((part) => part.exceptions.map(({ message }) => message)));
      if (name === 'user') return present(...parts.map(({ user }) => user));
      return ofRequest(name, node) ?? ofPlace(name, parts);
    },
    annotation: (key) => annotationsOf(parts, key),
  };
}

function ofRequest(name: StringKeyword, node: TraceNode | undefined): string[] | undefined {
  if (name === 'http.url') return present(node?.http?.url);
  if (name === 'http.method') return present(node?.http?.method);
  if (name === 'http.useragent') return present(node?.http?.userAgent);
  return name === 'http.clientip' ? present(node?.http?.clientIp) : undefined;
}

function ofPlace(name: StringKeyword, nodes: TraceNode[]): string[] {
  const places = nodes.map(placesOf);
  if (name === 'resource.arn') return present(...places.map(({ arn }) => arn));
  if (name === 'instance.id') return present(...places.map(({ instance }) => instance));
  return name === 'availabilityzone' ? present(...places.map(({ zone }) => zone)) : [];
}
