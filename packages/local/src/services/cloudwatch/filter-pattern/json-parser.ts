import type { ParserMethod, TokenType } from 'chevrotain';
import { ConditionParser, combined } from './condition-parser.ts';
import type { FilterPattern, JsonCondition } from './pattern.ts';
import * as tokens from './tokens.ts';
import { jsonPath } from './values.ts';

/** `{ $.level = "ERROR" && ($.user IS NULL || $.user NOT EXISTS) }` */
export class JsonParser extends ConditionParser {
  constructor() {
    super(tokens.jsonTokens);
    this.performSelfAnalysis();
  }

  readonly #value = this.RULE('value', () =>
    this.OR([
      { ALT: () => this.CONSUME(tokens.quotedText) },
      { ALT: () => this.CONSUME(tokens.regex) },
      { ALT: () => this.CONSUME(tokens.jsonValue) },
      { ALT: () => this.CONSUME(tokens.yes) },
      { ALT: () => this.CONSUME(tokens.no) },
      { ALT: () => this.CONSUME(tokens.nothing) },
    ]),
  );
  readonly #comparison = this.RULE(
    'comparison',
    this.comparisonWith(() => this.SUBRULE(this.#value)),
  );

  #word<T>(token: TokenType, meaning: T): T {
    this.CONSUME(token);
    return meaning;
  }

  readonly #is = this.RULE('is', () => {
    this.CONSUME(tokens.is);
    return this.OR([
      { ALT: () => this.#word(tokens.yes, true) },
      { ALT: () => this.#word(tokens.no, false) },
      { ALT: () => this.#word(tokens.nothing, null) },
    ]);
  });

  readonly #one = this.RULE(
    'one',
    (): JsonCondition =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(tokens.open);
            const inner = this.nested(() => this.SUBRULE(this.#any));
            this.CONSUME(tokens.close);
            return inner;
          },
        },
        {
          ALT: () => {
            const selector = this.CONSUME(tokens.selector);
            const path = this.ACTION(() => jsonPath(selector.image));
            return this.OR1([
              { ALT: (): JsonCondition => ({ kind: 'compare', path, ...this.SUBRULE(this.#comparison) }) },
              { ALT: (): JsonCondition => ({ kind: 'is', path, value: this.SUBRULE(this.#is) }) },
              {
                ALT: (): JsonCondition => {
                  this.CONSUME(tokens.not);
                  this.CONSUME(tokens.exists);
                  return { kind: 'is', path, value: undefined };
                },
              },
            ]);
          },
        },
      ]),
  );

  readonly #all = this.RULE('all', (): JsonCondition => {
    const parts: JsonCondition[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: tokens.and, DEF: () => parts.push(this.SUBRULE(this.#one)) });
    return combined('all', parts);
  });

  readonly #any: ParserMethod<[], JsonCondition> = this.RULE('any', (): JsonCondition => {
    const parts: JsonCondition[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: tokens.or, DEF: () => parts.push(this.SUBRULE(this.#all)) });
    return combined('any', parts);
  });

  readonly pattern = this.RULE('pattern', (): FilterPattern => {
    this.CONSUME(tokens.openJson);
    const condition = this.SUBRULE(this.#any);
    this.CONSUME(tokens.closeJson);
    return { kind: 'json', condition };
  });
}
