import type { IToken } from 'chevrotain';
import { LanguageParser, problemAt, unquoted } from '../syntax.ts';
import type { FilterPattern, Term } from './pattern.ts';
import * as tokens from './tokens.ts';
import { regexOf } from './values.ts';

/** `ERROR -"exit 1"`, `?ERROR ?WARN` */
export class TermParser extends LanguageParser {
  constructor() {
    super(tokens.termTokens);
    this.performSelfAnalysis();
  }

  readonly #term = this.RULE('term', () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(tokens.quotedText) },
      { ALT: () => this.CONSUME(tokens.regex) },
      { ALT: () => this.CONSUME(tokens.term) },
    ]);
    return this.ACTION(() => termOf(token));
  });

  readonly pattern = this.RULE('pattern', (): FilterPattern => {
    const required: Term[] = [];
    const excluded: Term[] = [];
    const optional: Term[] = [];
    this.AT_LEAST_ONE(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(tokens.minus);
            excluded.push(this.SUBRULE(this.#term));
          },
        },
        {
          ALT: () => {
            this.CONSUME(tokens.optional);
            optional.push(this.SUBRULE1(this.#term));
          },
        },
        { ALT: () => required.push(this.SUBRULE2(this.#term)) },
      ]),
    );
    return { kind: 'terms', required, excluded, optional };
  });
}

function termOf(token: IToken): Term {
  if (token.tokenType === tokens.quotedText) return unquoted(token.image);
  if (token.tokenType === tokens.regex) return regexOf(token);
  if (/^[\p{L}\p{N}_]+$/u.test(token.image)) return token.image;
  throw problemAt(token, `Invalid character(s) in term '${token.image}'. Put it in double quotes`);
}
