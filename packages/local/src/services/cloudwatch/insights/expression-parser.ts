import type { IToken, ParserMethod } from 'chevrotain';
import { LanguageParser, problemAt, unquoted } from '../syntax.ts';
import { functionNames } from './functions.ts';
import type { BinaryOperator, Expression } from './query.ts';
import * as tokens from './tokens.ts';

const unitMilliseconds: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Expressions, from `or` down to names; binding strength as in SQL. */
export abstract class ExpressionParser extends LanguageParser {
  constructor() {
    super(tokens.all);
  }

  protected readonly field = this.RULE('field', (): Expression => {
    const token = this.OR([{ ALT: () => this.CONSUME(tokens.name) }, { ALT: () => this.CONSUME(tokens.quotedName) }]);
    return this.ACTION(() => ({ kind: 'field', name: token.image.replaceAll('`', '') }));
  });

  readonly #call = this.RULE('call', (): Expression => {
    const token = this.CONSUME(tokens.name);
    this.CONSUME(tokens.open);
    const parameters: Expression[] = [];
    let period: IToken | undefined;
    this.OR([
      { ALT: () => (period = this.CONSUME(tokens.duration)) },
      { ALT: () => this.MANY_SEP({ SEP: tokens.comma, DEF: () => parameters.push(this.SUBRULE(this.expression)) }) },
    ]);
    this.CONSUME(tokens.close);
    return this.ACTION(() => call(token, parameters, period));
  });

  readonly #literal = this.RULE(
    'literal',
    (): Expression =>
      this.OR([
        {
          ALT: (): Expression => {
            const { image } = this.CONSUME(tokens.text);
            return { kind: 'literal', value: this.ACTION(() => unquoted(image)) };
          },
        },
        { ALT: (): Expression => ({ kind: 'literal', value: Number(this.CONSUME(tokens.number).image) }) },
      ]),
  );

  readonly #one = this.RULE(
    'one',
    (): Expression =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(tokens.open);
            const inner = this.nested(() => this.SUBRULE(this.expression));
            this.CONSUME(tokens.close);
            return inner;
          },
        },
        {
          ALT: (): Expression => {
            this.CONSUME(tokens.minus);
            return { kind: 'negative', operand: this.nested(() => this.SUBRULE(this.#one)) };
          },
        },
        { ALT: () => this.SUBRULE(this.#literal) },
        { ALT: () => this.SUBRULE(this.#call) },
        { ALT: () => this.SUBRULE(this.field) },
      ]),
  ) as ParserMethod<[], Expression>;

  readonly #product = this.RULE('product', (): Expression => {
    let left = this.SUBRULE(this.#one);
    this.MANY(() => {
      const sign = this.OR([
        { ALT: () => this.CONSUME(tokens.star) },
        { ALT: () => this.CONSUME(tokens.slash) },
        { ALT: () => this.CONSUME(tokens.percent) },
        { ALT: () => this.CONSUME(tokens.power) },
      ]);
      const right = this.SUBRULE1(this.#one);
      left = this.ACTION(() => binary(sign, left, right));
    });
    return left;
  });

  readonly #sum = this.RULE('sum', (): Expression => {
    let left = this.SUBRULE(this.#product);
    this.MANY(() => {
      const sign = this.OR([{ ALT: () => this.CONSUME(tokens.plus) }, { ALT: () => this.CONSUME(tokens.minus) }]);
      const right = this.SUBRULE1(this.#product);
      left = this.ACTION(() => binary(sign, left, right));
    });
    return left;
  });

  readonly #condition = this.RULE('condition', (): Expression => {
    const left = this.SUBRULE(this.#sum);
    let result = left;
    this.OPTION(() => {
      let negated = false;
      this.OR([
        {
          ALT: () => {
            const sign = this.CONSUME(tokens.comparison);
            const right = this.SUBRULE1(this.#sum);
            result = this.ACTION(() => binary(sign, left, right));
          },
        },
        {
          ALT: () => {
            this.CONSUME(tokens.match);
            result = { kind: 'like', operand: left, pattern: this.SUBRULE(this.regex), negated: false };
          },
        },
        {
          ALT: () => {
            this.OPTION1(() => {
              this.CONSUME(tokens.not);
              negated = true;
            });
            this.OR1([
              {
                ALT: () => {
                  this.CONSUME(tokens.like);
                  const pattern = this.OR2([
                    { ALT: (): string | RegExp => this.SUBRULE1(this.regex) },
                    {
                      ALT: (): string | RegExp => {
                        const { image } = this.CONSUME(tokens.text);
                        return this.ACTION(() => unquoted(image));
                      },
                    },
                  ]);
                  result = { kind: 'like', operand: left, pattern, negated };
                },
              },
              {
                ALT: () => {
                  this.CONSUME(tokens.within);
                  this.CONSUME(tokens.openList);
                  const list: Expression[] = [];
                  this.MANY_SEP({ SEP: tokens.comma, DEF: () => list.push(this.SUBRULE2(this.#sum)) });
                  this.CONSUME(tokens.closeList);
                  result = { kind: 'in', operand: left, list, negated };
                },
              },
            ]);
          },
        },
      ]);
    });
    return result;
  });

  protected readonly regex = this.RULE('regex', (): RegExp => {
    const token = this.CONSUME(tokens.regex);
    return this.ACTION(() => regexOf(token));
  });

  readonly #negation: ParserMethod<[], Expression> = this.RULE(
    'negation',
    (): Expression =>
      this.OR([
        {
          ALT: (): Expression => {
            this.CONSUME(tokens.not);
            return { kind: 'not', operand: this.nested(() => this.SUBRULE(this.#negation)) };
          },
        },
        { ALT: () => this.SUBRULE(this.#condition) },
      ]),
  );

  readonly #all = this.RULE('all', (): Expression => {
    let left = this.SUBRULE(this.#negation);
    this.MANY(() => {
      const sign = this.CONSUME(tokens.and);
      const right = this.SUBRULE1(this.#negation);
      left = this.ACTION(() => binary(sign, left, right));
    });
    return left;
  });

  protected readonly expression: ParserMethod<[], Expression> = this.RULE('expression', (): Expression => {
    let left = this.SUBRULE(this.#all);
    this.MANY(() => {
      const sign = this.CONSUME(tokens.or);
      const right = this.SUBRULE1(this.#all);
      left = this.ACTION(() => binary(sign, left, right));
    });
    return left;
  });
}

function binary(sign: IToken, left: Expression, right: Expression): Expression {
  return { kind: 'binary', operator: sign.image.toLowerCase() as BinaryOperator, left, right };
}

function call(token: IToken, parameters: Expression[], period: IToken | undefined): Expression {
  const name = token.image.toLowerCase();
  if (name === 'bin') {
    const [, count, unit] = /^(\d+)(\D+)$/.exec(period?.image.toLowerCase() ?? '') ?? [];
    const milliseconds = Number(count) * (unitMilliseconds[unit ?? ''] ?? Number.NaN);
    if (milliseconds > 0) return { kind: 'bin', milliseconds };
    throw problemAt(token, 'bin takes a period, such as bin(5m)');
  }
  if (period) throw problemAt(period, `${token.image} takes no period`);
  if (!functionNames.has(name)) throw problemAt(token, `Unknown function ${token.image}`);
  return { kind: 'call', name, parameters };
}

function regexOf(token: IToken): RegExp {
  // Java's inline flag, which people use; JavaScript has the flag outside.
  const [, flags, source = ''] = /^\/(\(\?i\))?(.*)\/$/s.exec(token.image) ?? [];
  try {
    return new RegExp(source, flags ? 'i' : '');
  } catch (error) {
    throw problemAt(token, `Invalid regular expression: ${(error as Error).message}`);
  }
}
