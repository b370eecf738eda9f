/**
 * A filter expression that cannot be answered, and where in it: `position` counts characters from
 * 0.
 */
export class FilterError extends Error {
  override name = 'FilterError';
  readonly position: number;

  constructor(message: string, position: number) {
    super(`${message} at position ${position}`);
    this.position = position;
  }
}

export interface Token {
  /**
   * symbol: operators, brackets and commas; word: keywords and names, dots included; end: after the
   * last character.
   */
  kind: 'word' | 'string' | 'number' | 'symbol' | 'end';
  /** Of a string, what is between its quotes, escapes resolved. */
  text: string;
  position: number;
}

/** Longer expressions are not of a person; AWS has a limit too. */
const longest = 2000;

const patternPattern =
  /\s*(?:(?<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|(?<word>[A-Za-z_][\w.]*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<symbol>!=|<=|>=|[=<>!(){}[\],:]))/suy;

/** @throws FilterError at the first character that begins nothing. */
export function tokens(expression: string): Token[] {
  if (expression.length > longest) throw new FilterError(`An expression of more than ${longest} characters`, longest);
  const found: Token[] = [];
  const pattern = new RegExp(patternPattern);
  const end = expression.trimEnd().length;
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex;
    const match = pattern.exec(expression);
    if (!match?.groups) {
      const position = from + (/^\s*/.exec(expression.slice(from))?.[0].length ?? 0);
      const quote = expression[position];
      const what = quote === '"' || quote === "'" ? 'A string that does not end' : `"${quote}" is not understood`;
      throw new FilterError(what, position);
    }
    const [kind, text] = Object.entries(match.groups).find(([, value]) => value !== undefined) as [
      Token['kind'],
      string,
    ];
    found.push({ kind, text: kind === 'string' ? unquoted(text) : text, position: pattern.lastIndex - text.length });
  }
  found.push({ kind: 'end', text: '', position: end });
  return found;
}

function unquoted(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/gsu, '$1');
}
