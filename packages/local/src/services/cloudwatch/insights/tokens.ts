import { createToken, type IToken, type TokenType } from 'chevrotain';

const space = createToken({ name: 'Space', pattern: /\s+/, group: 'SKIPPED', line_breaks: true });
const comment = createToken({ name: 'Comment', pattern: /#[^\n]*/, group: 'SKIPPED' });
export const text = createToken({
  name: 'Text',
  pattern: /"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/,
  line_breaks: true,
});
export const quotedName = createToken({ name: 'QuotedName', pattern: /`[^`]+`/ });
export const duration = createToken({ name: 'Duration', pattern: /\d+(?:ms|s|m|h|d|w)(?![\w.])/i });
export const number = createToken({ name: 'Number', pattern: /\d+(?:\.\d+)?(?![\w.])/ });
export const name = createToken({ name: 'Name', pattern: /[@A-Za-z_][\w@.]*/ });

const word = (title: string, pattern: RegExp) => createToken({ name: title, pattern, longer_alt: name });
export const fields = word('Fields', /fields/i);
export const display = word('Display', /display/i);
export const filter = word('Filter', /filter/i);
export const parse = word('Parse', /parse/i);
export const stats = word('Stats', /stats/i);
export const sort = word('Sort', /sort/i);
export const limit = word('Limit', /limit/i);
export const dedup = word('Dedup', /dedup/i);
export const by = word('By', /by/i);
export const as = word('As', /as/i);
export const ascending = word('Ascending', /asc/i);
export const descending = word('Descending', /desc/i);
export const and = word('And', /and/i);
export const or = word('Or', /or/i);
export const not = word('Not', /not/i);
export const like = word('Like', /like/i);
export const within = word('In', /in/i);

const sign = (title: string, pattern: RegExp) => createToken({ name: title, pattern });
export const bar = sign('Bar', /\|/);
export const comma = sign('Comma', /,/);
export const open = sign('Open', /\(/);
export const close = sign('Close', /\)/);
export const openList = sign('OpenList', /\[/);
export const closeList = sign('CloseList', /\]/);
export const match = sign('Match', /=~/);
export const comparison = sign('Comparison', /!=|<=|>=|=|<|>/);
export const star = sign('Star', /\*/);
export const slash = sign('Slash', /\//);
export const percent = sign('Percent', /%/);
export const power = sign('Power', /\^/);
export const plus = sign('Plus', /\+/);
export const minus = sign('Minus', /-/);

const regexImage = /\/(?:[^/\\\n]|\\.)+\//y;

/** A slash begins a regular expression only where no division can stand. */
export const regex = createToken({
  name: 'Regex',
  pattern: (input: string, offset: number, matched: IToken[]) => {
    const [before, last] = [matched.at(-2)?.tokenType, matched.at(-1)?.tokenType];
    if (last !== like && last !== match && last !== parse && before !== parse) return null;
    regexImage.lastIndex = offset;
    return regexImage.exec(input);
  },
  start_chars_hint: ['/'],
  line_breaks: false,
});

export const commands: TokenType[] = [fields, display, filter, parse, stats, sort, limit, dedup];

export const all: TokenType[] = [
  space,
  comment,
  text,
  quotedName,
  regex,
  duration,
  number,
  ...commands,
  by,
  ascending,
  as,
  descending,
  and,
  or,
  not,
  like,
  within,
  name,
  bar,
  comma,
  open,
  close,
  openList,
  closeList,
  match,
  comparison,
  star,
  slash,
  percent,
  power,
  plus,
  minus,
];
