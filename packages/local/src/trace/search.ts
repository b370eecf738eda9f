import type { TraceSummary } from './trace.ts';

/** One condition of a search; all must hold. */
export interface Condition {
  /** Absent for free text. */
  field?: Field;
  operator: ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';
  value: string;
  negated: boolean;
}

const fields = ['status', 'method', 'route', 'time', 'user', 'reason', 'id', 'is'] as const;
type Field = (typeof fields)[number];

/** A search that cannot be understood; its message says where and what to write instead. */
export class InvalidSearch extends Error {}

/** A field, an operator and a value that may be quoted; or words. */
const term = /(-)?(?:([a-z]+)(>=|<=|!=|[:=<>]))?(?:"((?:[^"\\]|\\.)*)"|(\S+))/gy;

/**
 * Parses a search such as `status>=500 route:/api/users time:>300ms user:worf -is:cold text`.
 * @throws InvalidSearch for an unknown field, a value that does not fit its field, or a quote
 *   that does not end.
 */
export function parseSearch(text: string): Condition[] {
  const conditions: Condition[] = [];
  let rest = 0;
  for (;;) {
    while (text[rest] === ' ' || text[rest] === '\t') rest += 1;
    if (rest >= text.length) return conditions;
    term.lastIndex = rest;
    const found = term.exec(text);
    if (!found || /^-?"[^"]*$/.test(text.slice(rest)))
      throw new InvalidSearch(`Close the quote in: ${text.slice(rest)}`);
    rest = term.lastIndex;
    conditions.push(conditionOf(found));
  }
}

function conditionOf([whole = '', minus, name, operator, quoted, bare = '']: RegExpExecArray): Condition {
  const negated = minus === '-';
  const value = quoted?.replace(/\\(.)/g, '$1') ?? bare;
  if (name === undefined) return { operator: ':', value, negated };
  const field = fields.find((known) => known === name);
  if (!field) {
    // `http://…` and the like are text.
    if (value.startsWith('//')) return { operator: ':', value: whole, negated };
    throw new InvalidSearch(`There is no field "${name}"; there are ${fields.join(', ')}.`);
  }
  const [, late, plain = ''] = /^(>=|<=|[<>=])?(.*)$/s.exec(value) ?? [];
  const chosen = (operator === ':' && late ? late : operator) as Condition['operator'];
  const condition = { field, operator: chosen, value: operator === ':' ? plain : value, negated };
  if ((field === 'status' || field === 'time') && numberOf(field, condition.value) === undefined) {
    const example = field === 'status' ? 'status>=500 or status:4xx' : 'time:>300ms or time>1.5s';
    throw new InvalidSearch(`"${whole}" needs a number, such as ${example}.`);
  }
  if (field === 'is' && !['cold', 'failed', 'running'].includes(condition.value)) {
    throw new InvalidSearch(`"${whole}" is unknown; there are is:cold, is:failed and is:running.`);
  }
  return condition;
}

function numberOf(field: Field, value: string): number | undefined {
  if (field === 'status') {
    const [, digits, open] = /^(\d{1,3})(x{0,2})$/.exec(value) ?? [];
    return digits && digits.length + (open?.length ?? 0) <= 3 ? Number(digits) : undefined;
  }
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(value) ?? [];
  return number === undefined ? undefined : Number(number) * (unit === 's' ? 1000 : 1);
}

/** @returns whether a trace fits all conditions. */
export function matchesSearch(summary: TraceSummary, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => holds(summary, condition) !== condition.negated);
}

function holds(summary: TraceSummary, { field, operator, value }: Condition): boolean {
  const { status, duration, method, url = '', user, reason, id, xrayId } = summary;
  const isNot = operator === '!=';
  const texts = (candidates: (string | undefined)[]) => {
    const wanted = value.toLowerCase();
    const fits = (one: string | undefined) =>
      operator === '=' || isNot ? one?.toLowerCase() === wanted : one?.toLowerCase().includes(wanted);
    return candidates.some(fits) !== isNot;
  };
  if (field === 'status') {
    const open = /^(\d)xx$/.exec(value)?.[1];
    if (open) return (String(status ?? '')[0] === open) !== isNot;
    return status !== undefined && compare(status, operator, numberOf(field, value) ?? 0);
  }
  if (field === 'time') return compare(duration, operator === ':' ? '>=' : operator, numberOf(field, value) ?? 0);
  if (field === 'method') return texts([method]);
  if (field === 'route') return texts([pathOnly(url)]);
  if (field === 'user') return texts([user]);
  if (field === 'reason') return texts([reason]);
  if (field === 'id') return texts([id, xrayId]);
  if (field === 'is') {
    if (value === 'cold') return summary.coldStart;
    return value === 'running' ? summary.inProgress : summary.fault || summary.error || summary.throttle;
  }
  return texts([`${method ?? ''} ${pathOnly(url)}`, url, user, reason, String(status ?? ''), id, xrayId]);
}

function pathOnly(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '');
}

function compare(value: number, operator: Condition['operator'], wanted: number): boolean {
  if (operator === '>') return value > wanted;
  if (operator === '>=') return value >= wanted;
  if (operator === '<') return value < wanted;
  if (operator === '<=') return value <= wanted;
  return (value === wanted) !== (operator === '!=');
}
