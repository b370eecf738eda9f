import {
  booleans,
  type Filter,
  type GroupFilters,
  type Keyword,
  notHere,
  nothing,
  numbers,
  type Operator,
  ofAService,
  type ServiceSelector,
  strings,
} from './grammar.ts';
import { FilterError, type Token, tokens } from './tokens.ts';

const comparisons: readonly string[] = ['=', '!=', '<', '<=', '>', '>='];
const stringOperators: readonly string[] = ['CONTAINS', 'BEGINSWITH', 'ENDSWITH'];
const deepest = 50;

/**
 * Reads a filter expression of X-Ray: `service("api") { fault } AND responsetime > 2`.
 * Grammar: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html
 * @param groups what `group.name` and `group.arn` stand for.
 * @throws FilterError naming what is wrong, or not supported here, and its position.
 */
export function parseFilter(expression: string, groups: GroupFilters = new Map()): Filter {
  const parser = new Parser(tokens(expression), groups);
  const filter = parser.either('trace');
  parser.end();
  return filter;
}

/** Of what a condition is asked: the whole trace, or one service or edge of it. */
type Scope = 'trace' | 'service';

class Parser {
  readonly #tokens: Token[];
  readonly #groups: GroupFilters;
  #at = 0;
  #depth = 0;

  constructor(list: Token[], groups: GroupFilters) {
    this.#tokens = list;
    this.#groups = groups;
  }

  /** both { OR both } */
  either(scope: Scope): Filter {
    if (++this.#depth > deepest) throw new FilterError('Nested too deep', this.#peek().position);
    const parts = [this.#both(scope)];
    while (this.#word('OR')) parts.push(this.#both(scope));
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Filter) : { kind: 'or', parts };
  }

  end(): void {
    const token = this.#peek();
    if (token.kind !== 'end') throw new FilterError(`AND or OR is missing before "${token.text}"`, token.position);
  }

  /** one { AND one } */
  #both(scope: Scope): Filter {
    const parts = [this.#one(scope)];
    while (this.#word('AND')) parts.push(this.#one(scope));
    return parts.length === 1 ? (parts[0] as Filter) : { kind: 'and', parts };
  }

  #one(scope: Scope): Filter {
    let negated = false;
    while (this.#symbol('!')) negated = !negated;
    const filter = this.#positive(scope);
    return negated ? { kind: 'not', part: filter } : filter;
  }

  #positive(scope: Scope): Filter {
    if (this.#symbol('(')) {
      const inner = this.either(scope);
      this.#expect(')');
      return inner;
    }
    const token = this.#next();
    if (token.kind !== 'word') throw new FilterError(`A keyword is missing before ${shown(token)}`, token.position);
    const name = token.text.toLowerCase();
    if (name === 'service' || name === 'edge') {
      if (scope !== 'trace') throw new FilterError(`${name}() cannot stand inside { }`, token.position);
      return name === 'service' ? this.#service() : this.#edge();
    }
    if (name === 'group.name' || name === 'group.arn') return this.#group(token, scope);
    return this.#comparison(this.#keyword(token, scope));
  }

  /** `group.name = "name"` stands for the group's own expression. */
  #group({ text, position }: Token, scope: Scope): Filter {
    if (scope !== 'trace') throw new FilterError(`${text} cannot stand inside { }`, position);
    const operator = this.#next();
    if (operator.text !== '=' && operator.text !== '!=')
      throw new FilterError(`${text} takes = or !=`, operator.position);
    const value = this.#value();
    const part = this.#groups.get(String(value.value)) ?? nothing;
    return operator.text === '=' ? part : { kind: 'not', part };
  }

  #service(): Filter {
    this.#expect('(');
    const service = this.#peekSymbol(')') ? {} : this.#selector();
    this.#expect(')');
    return { kind: 'service', service, ...this.#where() };
  }

  #edge(): Filter {
    this.#expect('(');
    const from = this.#selector();
    this.#expect(',');
    const to = this.#selector();
    this.#expect(')');
    return { kind: 'edge', from, to, ...this.#where() };
  }

  #where(): { where?: Filter } {
    if (!this.#symbol('{')) return {};
    const where = this.either('service');
    this.#expect('}');
    return { where };
  }

  /** A name in quotes, or `id(name: "n", type: "t", account.id: "a")` with any of the three. */
  #selector(): ServiceSelector {
    const token = this.#next();
    if (token.kind === 'string') return { name: token.text };
    if (token.kind !== 'word' || token.text.toLowerCase() !== 'id') {
      throw new FilterError('The name of a service in quotes, or id(…), is missing', token.position);
    }
    this.#expect('(');
    const selector: ServiceSelector = {};
    do {
      const part = this.#next();
      this.#expect(':');
      const value = this.#next();
      if (value.kind !== 'string') throw new FilterError('A string in quotes is missing', value.position);
      if (part.text === 'name') selector.name = value.text;
      else if (part.text === 'type') selector.type = value.text;
      else if (part.text === 'account.id') selector.accountId = value.text;
      else throw new FilterError(`id() has name, type and account.id, not ${shown(part)}`, part.position);
    } while (this.#symbol(','));
    this.#expect(')');
    return selector;
  }

  #keyword(token: Token, scope: Scope): Keyword {
    const name = token.text.toLowerCase();
    if (name === 'annotation') {
      this.#expect('[');
      const key = this.#next();
      if (key.kind !== 'word' && key.kind !== 'string') {
        throw new FilterError('The key of an annotation is missing', key.position);
      }
      this.#expect(']');
      return { kind: 'annotation', key: key.text };
    }
    if (name.startsWith('annotation.')) return { kind: 'annotation', key: token.text.slice('annotation.'.length) };
    if (notHere.includes(name) || name.startsWith('rootcause')) {
      throw new FilterError(`${token.text} is not supported here`, token.position);
    }
    if (scope === 'trace' && ofAService.includes(name)) {
      throw new FilterError(`${token.text} is asked of a service: service() { ${token.text} … }`, token.position);
    }
    const boolean = booleans.find((keyword) => keyword === name);
    if (boolean) return { kind: 'boolean', name: boolean };
    const number = numbers.find((keyword) => keyword === name);
    if (number) return { kind: 'number', name: number };
    const string = strings.find((keyword) => keyword === name);
    if (string) return { kind: 'string', name: string };
    throw new FilterError(`The keyword ${shown(token)} is not known`, token.position);
  }

  #comparison(keyword: Keyword): Filter {
    const token = this.#peek();
    const operator = token.text.toUpperCase();
    const isOperator =
      (token.kind === 'symbol' && comparisons.includes(operator)) ||
      (token.kind === 'word' && stringOperators.includes(operator));
    if (!isOperator) {
      // A boolean alone asks whether it is true.
      if (keyword.kind === 'boolean' || keyword.kind === 'annotation') {
        return { kind: 'compare', keyword, operator: '=', value: true };
      }
      throw new FilterError(`An operator is missing before ${shown(token)}`, token.position);
    }
    this.#next();
    const value = this.#value();
    check(keyword, operator as Operator, value, token.position);
    return { kind: 'compare', keyword, operator: operator as Operator, value: value.value };
  }

  #value(): { value: string | number | boolean; position: number } {
    const token = this.#next();
    const { position, text } = token;
    if (token.kind === 'string') return { value: text, position };
    if (token.kind === 'number') return { value: Number(text), position };
    if (token.kind === 'word' && /^(?:true|false)$/i.test(text))
      return { value: text.toLowerCase() === 'true', position };
    throw new FilterError(`A value is missing before ${shown(token)}`, position);
  }

  #peek(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  #peekSymbol(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'symbol' && token.text === text;
  }

  #symbol(text: string): boolean {
    if (!this.#peekSymbol(text)) return false;
    this.#at++;
    return true;
  }

  #word(text: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'word' || token.text.toUpperCase() !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    const token = this.#peek();
    if (!this.#symbol(text)) throw new FilterError(`"${text}" is missing before ${shown(token)}`, token.position);
  }
}

function shown(token: Token): string {
  return token.kind === 'end' ? 'the end' : `"${token.text}"`;
}

function check(
  keyword: Keyword,
  operator: Operator,
  { value, position }: { value: string | number | boolean; position: number },
  operatorPosition: number,
): void {
  const type = typeof value as 'string' | 'number' | 'boolean';
  if (keyword.kind !== 'annotation' && keyword.kind !== type) {
    throw new FilterError(`${keyword.name} is compared with a ${keyword.kind}, not a ${type}`, position);
  }
  const allowed: readonly string[] =
    type === 'number' ? comparisons : type === 'string' ? ['=', '!=', ...stringOperators] : ['=', '!='];
  if (!allowed.includes(operator)) throw new FilterError(`${operator} does not go with a ${type}`, operatorPosition);
}
