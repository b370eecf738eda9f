import { createToken } from 'chevrotain';

const space = createToken({ name: 'Space', pattern: /\s+/, group: 'SKIPPED', line_breaks: true });
export const quotedText = createToken({ name: 'QuotedText', pattern: /"(?:[^"\\]|\\[\s\S])*"/, line_breaks: true });
export const regex = createToken({ name: 'Regex', pattern: /%(?:[^%\\]|\\.)*%/ });
const sign = (name: string, pattern: string) => createToken({ name, pattern });
export const open = sign('Open', '(');
export const close = sign('Close', ')');
export const and = sign('And', '&&');
export const or = sign('Or', '||');
export const operator = createToken({ name: 'Operator', pattern: /!=|<=|>=|=|<|>/ });
const common = [space, quotedText, regex, open, close, and, or, operator];

/** `ERROR ?WARN -"exit code"` */
export const minus = sign('Minus', '-');
export const optional = sign('Optional', '?');
export const term = createToken({ name: 'Term', pattern: /[^\s"%?-][^\s"%]*/ });
export const termTokens = [space, quotedText, regex, minus, optional, term];

/** `{ $.level = "ERROR" && $.user IS NULL }` */
export const openJson = sign('OpenJson', '{');
export const closeJson = sign('CloseJson', '}');
export const selector = createToken({
  name: 'Selector',
  pattern: /\$(?:\.[^\s.(){}[\]&|=!<>"'%$]+|\.?\['[^']+'\]|\.?\["[^"]+"\]|\[\d+\])+/,
});
export const jsonValue = createToken({ name: 'JsonValue', pattern: /[^\s(){}&|=!<>"%$]+/ });
const word = (name: string, pattern: RegExp) => createToken({ name, pattern, longer_alt: jsonValue });
export const is = word('Is', /IS/i);
export const not = word('Not', /NOT/i);
export const exists = word('Exists', /EXISTS/i);
export const nothing = word('Null', /NULL/i);
export const yes = word('True', /TRUE/i);
export const no = word('False', /FALSE/i);
export const jsonTokens = [...common, openJson, closeJson, selector, is, not, exists, nothing, yes, no, jsonValue];

/** `[ip, user, status = 4*, ..., bytes > 1000]` */
export const openFields = sign('OpenFields', '[');
export const closeFields = sign('CloseFields', ']');
export const comma = sign('Comma', ',');
export const rest = sign('Rest', '...');
export const fieldText = createToken({ name: 'FieldText', pattern: /[^\s,[\]&|=!<>()"%]+/ });
export const fieldTokens = [...common, openFields, closeFields, comma, rest, fieldText];
