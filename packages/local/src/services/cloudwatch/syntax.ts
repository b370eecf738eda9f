import { EmbeddedActionsParser, EOF, type IToken, Lexer, type TokenType } from 'chevrotain';

/** A text in one of CloudWatch's languages that cannot be understood, and where it cannot. */
export class SyntaxProblem extends Error {
  override name = 'SyntaxProblem';
  /** Characters from the start of the text, from 0; `end` is behind the last one. */
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end: number = start + 1) {
    super(message);
    this.start = start;
    this.end = end;
  }
}

/** @returns the problem of a token, or of what stands behind a parsed part. */
export function problemAt(token: IToken, message: string): SyntaxProblem {
  return new SyntaxProblem(message, token.startOffset, token.startOffset + token.image.length);
}

/** @returns the line and the column of a place, both from 1. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Parentheses and operators nest at most so deep: each level is a level of the stack. */
const deepest = 100;

/** A grammar of chevrotain whose rules return what they have read. */
export abstract class LanguageParser extends EmbeddedActionsParser {
  #depth = 0;

  constructor(tokens: TokenType[]) {
    super(tokens, { recoveryEnabled: false, maxLookahead: 2 });
  }

  /** Reads one level deeper. @throws SyntaxProblem when it is too deep. */
  protected nested<T>(read: () => T): T {
    this.#depth++;
    try {
      if (this.#depth > deepest && !this.RECORDING_PHASE) {
        throw problemAt(this.LA(0), `Nests deeper than ${deepest} levels`);
      }
      return read();
    } finally {
      this.#depth--;
    }
  }

  /**
   * @returns what `rule` reads from the whole text.
   * @throws SyntaxProblem at the first character or word that does not fit.
   */
  read<T>(lexer: Lexer, text: string, rule: () => T): T {
    const { tokens, errors } = lexer.tokenize(text);
    const [unknown] = errors;
    if (unknown) {
      const sign = text[unknown.offset];
      const what = sign === '"' || sign === "'" ? 'A quote that does not end' : `Unexpected ${JSON.stringify(sign)}`;
      throw new SyntaxProblem(what, unknown.offset);
    }
    this.#depth = 0;
    this.input = tokens;
    const result = rule();
    const [error] = this.errors;
    if (!error) return result;
    const { token } = error;
    if (token.tokenType === EOF) throw new SyntaxProblem('Unexpected end', text.length, text.length);
    throw problemAt(token, `Unexpected ${JSON.stringify(token.image)}`);
  }
}

/** @returns a lexer that knows where each token stands; the first token that fits wins. */
export function lexerOf(tokens: TokenType[]): Lexer {
  return new Lexer(tokens, { positionTracking: 'onlyOffset', ensureOptimizations: false });
}

/** @returns the text between the quotes, its escapes resolved. */
export function unquoted(image: string): string {
  return image.slice(1, -1).replace(/\\(.)/gs, (_, character: string) => {
    if (character === 'n') return '\n';
    return character === 't' ? '\t' : character;
  });
}
