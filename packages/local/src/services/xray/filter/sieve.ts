import type { Holding } from '../../../trace/query.ts';
import type { Filter, Operator, ServiceSelector, StringKeyword } from './grammar.ts';

/**
 * Where a document has the value of a keyword. A service's name and a place are each in one of
 * several members.
 */
const members: Partial<Record<StringKeyword, string>> = {
  'http.url': 'url',
  'http.method': 'method',
  'http.useragent': 'user_agent',
  'http.clientip': 'client_ip',
  user: 'user',
  message: 'message',
  availabilityzone: 'availability_zone',
  'instance.id': 'instance_id',
};

const troubles = ['error', 'fault', 'throttle'] as const;

/** Times are seconds as floating point in documents, and milliseconds in a trace. */
const roundingSeconds = 0.000_01;

/**
 * Says what the documents of every trace that a filter asks for hold, so that the store builds only
 * those. Each part of it is as strict as the text of a document allows: never stricter than
 * `matches`, which decides.
 * @returns undefined where nothing can be said.
 */
export function holdingOf(filter: Filter): Holding | undefined {
  switch (filter.kind) {
    case 'and':
      return all(filter.parts.map(holdingOf));
    case 'or':
      return any(filter.parts.map(holdingOf));
    case 'not':
      return notHolding(filter.part);
    case 'service':
      return all([ofService(filter.service), filter.where && holdingOf(filter.where)]);
    case 'edge':
      return all([ofService(filter.from), ofService(filter.to), filter.where && holdingOf(filter.where)]);
    case 'compare': {
      const { keyword, operator, value } = filter;
      if (keyword.kind === 'boolean') return ofBoolean(keyword.name, (operator === '=') === value);
      if (keyword.kind === 'annotation') return ofMember(keyword.key, operator, value);
      if (keyword.kind === 'string') return ofString(keyword.name, operator, value);
      return typeof value === 'number' ? ofNumber(keyword.name, operator, value) : undefined;
    }
  }
}

/** A flag is set or not; whatever else a trace does not have, its text may have elsewhere. */
function notHolding(filter: Filter): Holding | undefined {
  if (filter.kind === 'not') return holdingOf(filter.part);
  if (filter.kind === 'and') return any(filter.parts.map(notHolding));
  if (filter.kind === 'or') return all(filter.parts.map(notHolding));
  if (filter.kind !== 'compare' || filter.keyword.kind !== 'boolean') return undefined;
  return ofBoolean(filter.keyword.name, (filter.operator === '=') !== filter.value);
}

function all(parts: (Holding | undefined)[]): Holding | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length > 0 ? { kind: 'all', parts: known } : undefined;
}

function any(parts: (Holding | undefined)[]): Holding | undefined {
  // Of no part: nothing fits, and no document says so.
  if (parts.length === 0) return undefined;
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? { kind: 'any', parts: known } : undefined;
}

/** @param text of JSON, as it is somewhere in a document. */
function text(text: string): Holding | undefined {
  return text.isWellFormed() ? { kind: 'text', text } : undefined;
}

function ofService({ name, type, accountId }: ServiceSelector): Holding | undefined {
  return all([
    name === undefined ? undefined : ofString('name', '=', name),
    type === undefined ? undefined : ofString('type', '=', type),
    accountId === undefined ? undefined : text(JSON.stringify(accountId)),
  ]);
}

function ofBoolean(name: string, wanted: boolean): Holding | undefined {
  if (name === 'ok') return wanted ? undefined : any(troubles.map((trouble) => text(`"${trouble}":true`)));
  const isTrouble = troubles.some((trouble) => trouble === name);
  return isTrouble && wanted ? text(`"${name}":true`) : undefined;
}

function ofNumber(name: string, operator: Operator, value: number): Holding | undefined {
  if (name === 'http.status') return ofMember('status', operator, value);
  // The trace, and each part of it, lasts no longer than from the first of all times to the last.
  const isAtLeast = operator === '=' || operator === '>' || operator === '>=';
  return isAtLeast ? { kind: 'lasting', seconds: value - roundingSeconds } : undefined;
}

function ofString(name: StringKeyword, operator: Operator, value: string | number | boolean): Holding | undefined {
  const member = members[name];
  if (member !== undefined) return ofMember(member, operator, value);
  if (operator !== '=') return undefined;
  const itself = text(JSON.stringify(value));
  // Of what AWS's SDKs call, the type is made of the name.
  return name === 'type' ? any([itself, text('"namespace":"aws"')]) : itself;
}

/** A document is written without white space, so that a member stands right before its value. */
function ofMember(key: string, operator: Operator, value: string | number | boolean): Holding | undefined {
  const before = `${JSON.stringify(key)}:`;
  if (typeof value === 'number') {
    if (operator === 'CONTAINS' || operator === 'BEGINSWITH' || operator === 'ENDSWITH') return undefined;
    return key.isWellFormed() ? { kind: 'number', key, operator, value } : undefined;
  }
  const written = JSON.stringify(value);
  if (operator === '=') return text(before + written);
  if (operator === 'BEGINSWITH') return text(before + written.slice(0, -1));
  const has = text(before);
  if (operator === 'ENDSWITH') return all([has, text(written.slice(1))]);
  return operator === 'CONTAINS' && written.length > 2 ? all([has, text(written.slice(1, -1))]) : has;
}
