import type { IToken } from 'chevrotain';
import { lexerOf, problemAt, SyntaxProblem, unquoted } from '../syntax.ts';
import { aggregateNames } from './aggregates.ts';
import { ExpressionParser } from './expression-parser.ts';
import type { Aggregate, Column, Command, Expression } from './query.ts';
import * as tokens from './tokens.ts';

/** Source: Amazon CloudWatch Logs API Reference, "StartQuery". */
const longest = 10_000;
const mostRows = 10_000;

const lexer = lexerOf(tokens.all);

class QueryParser extends ExpressionParser {
  #text = '';

  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** @throws SyntaxProblem with its place. */
  parse(text: string): Command[] {
    this.#text = text;
    return this.read(lexer, text, () => this.query());
  }

  readonly #alias = this.RULE('alias', (): string => {
    this.CONSUME(tokens.as);
    const token = this.OR([{ ALT: () => this.CONSUME(tokens.name) }, { ALT: () => this.CONSUME(tokens.quotedName) }]);
    return this.ACTION(() => token.image.replaceAll('`', ''));
  });

  readonly #column = this.RULE('column', (): Column => {
    const first = this.LA(1);
    const expression = this.SUBRULE(this.expression);
    const last = this.LA(0);
    let name = this.ACTION(() => (expression.kind === 'field' ? expression.name : this.#textOf(first, last)));
    this.OPTION(() => {
      name = this.SUBRULE(this.#alias);
    });
    return { name, expression };
  });

  readonly #columns = this.RULE('columns', (): Column[] => {
    const columns: Column[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: tokens.comma, DEF: () => columns.push(this.SUBRULE(this.#column)) });
    return columns;
  });

  readonly #aggregate = this.RULE('aggregate', (): Aggregate => {
    const token = this.CONSUME(tokens.name);
    this.CONSUME(tokens.open);
    let operand: Expression | undefined;
    let second: IToken | undefined;
    this.OPTION(() =>
      this.OR([
        { ALT: () => void this.CONSUME(tokens.star) },
        {
          ALT: () => {
            operand = this.SUBRULE(this.expression);
            this.OPTION1(() => {
              this.CONSUME(tokens.comma);
              second = this.CONSUME(tokens.number);
            });
          },
        },
      ]),
    );
    const last = this.CONSUME(tokens.close);
    let alias: string | undefined;
    this.OPTION2(() => {
      alias = this.SUBRULE(this.#alias);
    });
    return this.ACTION(() => aggregate(token, operand, second, alias ?? this.#textOf(token, last)));
  });

  readonly #stats = this.RULE('stats', (): Command => {
    this.CONSUME(tokens.stats);
    const aggregates: Aggregate[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: tokens.comma, DEF: () => aggregates.push(this.SUBRULE(this.#aggregate)) });
    let by: Column[] = [];
    this.OPTION(() => {
      this.CONSUME(tokens.by);
      by = this.SUBRULE(this.#columns);
    });
    return { kind: 'stats', aggregates, by };
  });

  readonly #sort = this.RULE('sort', (): Command => {
    this.CONSUME(tokens.sort);
    const keys: { expression: Expression; descending: boolean }[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: tokens.comma,
      DEF: () => {
        const expression = this.SUBRULE(this.expression);
        let descending = false;
        this.OPTION(() =>
          this.OR([
            { ALT: () => void this.CONSUME(tokens.ascending) },
            {
              ALT: () => {
                this.CONSUME(tokens.descending);
                descending = true;
              },
            },
          ]),
        );
        keys.push({ expression, descending });
      },
    });
    return { kind: 'sort', keys };
  });

  readonly #parse = this.RULE('parseCommand', (): Command => {
    this.CONSUME(tokens.parse);
    let source: Expression = { kind: 'field', name: '@message' };
    this.OPTION(() => {
      source = this.SUBRULE(this.field);
    });
    return this.OR([
      {
        ALT: (): Command => {
          const token = this.LA(1);
          const pattern = this.SUBRULE(this.regex);
          return this.ACTION(() => ({ kind: 'parse', source, pattern, names: groupNames(token) }));
        },
      },
      {
        ALT: (): Command => {
          const glob = this.CONSUME(tokens.text);
          this.CONSUME(tokens.as);
          const names: string[] = [];
          this.AT_LEAST_ONE_SEP({
            SEP: tokens.comma,
            DEF: () => {
              const field = this.SUBRULE1(this.field);
              this.ACTION(() => names.push(field.kind === 'field' ? field.name : ''));
            },
          });
          return this.ACTION(() => ({ kind: 'parse', source, pattern: globPattern(glob, names.length), names }));
        },
      },
    ]);
  });

  readonly #limit = this.RULE('limit', (): Command => {
    this.CONSUME(tokens.limit);
    const token = this.CONSUME(tokens.number);
    return this.ACTION(() => {
      const rows = Number(token.image);
      if (!Number.isInteger(rows) || rows < 1 || rows > mostRows)
        throw problemAt(token, `limit takes a whole number from 1 to ${mostRows}`);
      return { kind: 'limit', rows };
    });
  });

  readonly #command = this.RULE(
    'command',
    (): Command =>
      this.OR([
        {
          ALT: (): Command => {
            this.CONSUME(tokens.fields);
            return { kind: 'fields', columns: this.SUBRULE(this.#columns) };
          },
        },
        {
          ALT: (): Command => {
            this.CONSUME(tokens.display);
            return { kind: 'display', columns: this.SUBRULE1(this.#columns) };
          },
        },
        {
          ALT: (): Command => {
            this.CONSUME(tokens.filter);
            return { kind: 'filter', condition: this.SUBRULE(this.expression) };
          },
        },
        { ALT: () => this.SUBRULE(this.#stats) },
        { ALT: () => this.SUBRULE(this.#sort) },
        { ALT: () => this.SUBRULE(this.#parse) },
        { ALT: () => this.SUBRULE(this.#limit) },
        {
          ALT: (): Command => {
            this.CONSUME(tokens.dedup);
            const fields: Expression[] = [];
            this.AT_LEAST_ONE_SEP({ SEP: tokens.comma, DEF: () => fields.push(this.SUBRULE(this.field)) });
            return { kind: 'dedup', fields };
          },
        },
      ]),
  );

  readonly query = this.RULE('query', (): Command[] => {
    const commands: Command[] = [];
    this.OPTION(() => this.CONSUME(tokens.bar));
    this.AT_LEAST_ONE_SEP({ SEP: tokens.bar, DEF: () => commands.push(this.SUBRULE(this.#command)) });
    return commands;
  });

  #textOf(first: IToken, last: IToken): string {
    return this.#text.slice(first.startOffset, last.startOffset + last.image.length);
  }
}

const parser = new QueryParser();

/**
 * Parses a query of CloudWatch Logs Insights: fields, display, filter, parse, stats, sort, limit
 * and dedup. Source: Amazon CloudWatch Logs User Guide, "CloudWatch Logs Insights query syntax".
 * @throws SyntaxProblem that names what does not fit, and its place.
 */
export function parseInsightsQuery(text: string): Command[] {
  if (text.length > longest) throw new SyntaxProblem(`More than ${longest} characters`, longest, text.length);
  return parser.parse(text);
}

function aggregate(
  token: IToken,
  operand: Expression | undefined,
  second: IToken | undefined,
  name: string,
): Aggregate {
  const operation = token.image.toLowerCase();
  if (!aggregateNames.has(operation)) throw problemAt(token, `Unknown aggregate function ${token.image}`);
  if (!operand && operation !== 'count') throw problemAt(token, `${token.image} takes a field`);
  if ((operation === 'pct') !== (second !== undefined))
    throw problemAt(second ?? token, operation === 'pct' ? 'pct takes a field and a percentage' : 'Unexpected ","');
  const percent = second && Number(second.image);
  if (percent !== undefined && percent > 100) throw problemAt(second ?? token, 'A percentage is at most 100');
  return { name, operation, ...(operand && { operand }), ...(percent !== undefined && { percent }) };
}

function groupNames(token: IToken): string[] {
  const names = [...token.image.matchAll(/\(\?<([A-Za-z]\w*)>/g)].map(([, name = '']) => name);
  if (names.length === 0) throw problemAt(token, 'parse takes named groups, such as /took (?<time>\\d+) ms/');
  return names;
}

/** @returns the pattern of a glob, each `*` being one group. */
function globPattern(token: IToken, names: number): RegExp {
  const parts = unquoted(token.image).split('*');
  if (parts.length - 1 !== names)
    throw problemAt(token, `The pattern has ${parts.length - 1} wildcards, for ${names} names`);
  const literal = parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  // The last wildcard takes the rest where nothing follows it.
  return new RegExp(literal.join('(.*?)') + (literal.at(-1) === '' ? '$' : ''), 's');
}
