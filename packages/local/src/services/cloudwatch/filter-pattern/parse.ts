import { lexerOf, problemAt, SyntaxProblem } from '../syntax.ts';
import { FieldParser } from './field-parser.ts';
import { JsonParser } from './json-parser.ts';
import type { FilterPattern } from './pattern.ts';
import { TermParser } from './term-parser.ts';
import * as tokens from './tokens.ts';

const terms = { lexer: lexerOf(tokens.termTokens), parser: new TermParser() };
const json = { lexer: lexerOf(tokens.jsonTokens), parser: new JsonParser() };
const fields = { lexer: lexerOf(tokens.fieldTokens), parser: new FieldParser() };

/** Of the whole pattern, and of the regular expressions in it. */
const longest = 1024;
const mostRegexes = 2;

/**
 * Reads a filter pattern: terms, `{ JSON conditions }`, or `[fields, of, a, line]`.
 * Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax".
 * @throws SyntaxProblem naming what does not fit, and its place.
 */
export function parseFilterPattern(text: string): FilterPattern {
  if (text.length > longest) throw new SyntaxProblem(`More than ${longest} characters`, longest, text.length);
  const first = text.trimStart()[0];
  if (first === undefined) return { kind: 'everything' };
  const language = first === '{' ? json : first === '[' ? fields : terms;
  const regexes = language.lexer.tokenize(text).tokens.filter(({ tokenType }) => tokenType === tokens.regex);
  const over = regexes[mostRegexes];
  if (over) throw problemAt(over, `More than ${mostRegexes} regular expressions`);
  const { parser } = language;
  return parser.read(language.lexer, text, () => parser.pattern());
}
