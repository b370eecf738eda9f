import type { Comparison, FieldCondition, FieldPattern, FilterPattern, JsonCondition, Term } from './pattern.ts';

/** @returns whether a line fits a pattern. Text is compared with its case. */
export function matchesPattern(pattern: FilterPattern, message: string): boolean {
  switch (pattern.kind) {
    case 'everything':
      return true;
    case 'terms': {
      const { required, excluded, optional } = pattern;
      const has = (term: Term) => (typeof term === 'string' ? message.includes(term) : term.test(message));
      // Beside other terms AWS ignores optional ones.
      const others = required.length + excluded.length > 0;
      return required.every(has) && !excluded.some(has) && (others || optional.some(has));
    }
    case 'json': {
      const text = message.trim();
      if (!text.startsWith('{')) return false;
      try {
        return jsonHolds(pattern.condition, JSON.parse(text));
      } catch {
        return false;
      }
    }
    case 'fields':
      return fieldsHold(pattern.fields, message);
  }
}

function jsonHolds(condition: JsonCondition, root: unknown): boolean {
  if (condition.kind === 'all') return condition.parts.every((part) => jsonHolds(part, root));
  if (condition.kind === 'any') return condition.parts.some((part) => jsonHolds(part, root));
  const value = valueAt(root, condition.path);
  if (condition.kind === 'is') return value === condition.value;
  // Whatever is compared has to be there.
  if (value === undefined || value === null) return false;
  if (typeof value === 'object') return isEverything(condition);
  const asNumber = typeof value === 'number' ? value : undefined;
  return compares(condition, String(value), asNumber);
}

/** `$.a = *` asks whether it is there. */
function isEverything({ operator, text }: Comparison): boolean {
  return operator === '=' && text instanceof RegExp && text.source === '^[^]*$';
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

function compares({ operator, text, number }: Comparison, value: string, asNumber: number | undefined): boolean {
  const isEqual = () => {
    if (text instanceof RegExp) return text.test(value);
    return number !== undefined && asNumber !== undefined ? number === asNumber : text === value;
  };
  if (operator === '=') return isEqual();
  if (operator === '!=') return !isEqual();
  if (number === undefined || asNumber === undefined) return false;
  if (operator === '<') return asNumber < number;
  if (operator === '<=') return asNumber <= number;
  return operator === '>' ? asNumber > number : asNumber >= number;
}

/** Text in double quotes or square brackets is one field. */
const fieldText = /"([^"]*)"|\[([^\]]*)\]|(\S+)/g;

function fieldsHold(fields: FieldPattern[], message: string): boolean {
  const values = [...message.matchAll(fieldText)].map(
    ([, quoted, bracketed, plain]) => quoted ?? bracketed ?? plain ?? '',
  );
  const rest = fields.indexOf('rest');
  const wanted = fields.filter((field) => field !== 'rest');
  if (rest < 0 ? values.length !== wanted.length : values.length < wanted.length) return false;
  // Fields behind the "..." are counted from the end.
  const skipped = values.length - wanted.length;
  return wanted.every(({ condition }, at) => {
    const value = values[rest >= 0 && at >= rest ? at + skipped : at] ?? '';
    return !condition || fieldHolds(condition, value);
  });
}

function fieldHolds(condition: FieldCondition, value: string): boolean {
  if (condition.kind === 'all') return condition.parts.every((part) => fieldHolds(part, value));
  if (condition.kind === 'any') return condition.parts.some((part) => fieldHolds(part, value));
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return compares(condition, value, Number.isNaN(number) ? undefined : number);
}
