/** A text or number of a JSON document, or the name of a member. */
export interface JsonToken {
  /** The name of the member that it belongs to. */
  key: string;
  value: string;
  isName: boolean;
}

const deepest = 1_000;

/**
 * Reads texts, numbers and names of a JSON document one after the other, so that whoever has enough
 * of them stops. It does not check the document: what is not JSON is passed over.
 * @param longest how much of a text is read, in characters.
 */
export function* jsonTokens(text: string, longest: number): Generator<JsonToken> {
  const around: string[] = [];
  let key = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (sign === '"') {
      const end = endOfText(text, at + 1);
      const value = unescaped(text.slice(at + 1, end), longest);
      const isName = /^\s{0,20}:/.test(text.slice(end + 1, end + 22));
      if (isName) key = value;
      yield { key, value: isName ? '' : value, isName };
      at = end;
    } else if (sign === '{' || sign === '[') {
      if (around.length < deepest) around.push(key);
    } else if (sign === '}' || sign === ']') {
      key = around.pop() ?? '';
    } else if (sign === '-' || (sign >= '0' && sign <= '9')) {
      const [number = sign] = /^-?[\d.eE+-]{0,400}/.exec(text.slice(at, at + 400)) ?? [];
      yield { key, value: number, isName: false };
      at += Math.max(number.length, 1) - 1;
    }
  }
}

/** @returns the place of the quotation mark that ends a text. */
function endOfText(text: string, from: number): number {
  const quote = text.indexOf('"', from);
  if (quote < 0) return text.length;
  if (text[quote - 1] !== '\\') return quote;
  let at = from;
  for (let code = text.charCodeAt(at); at < text.length && code !== 34; code = text.charCodeAt(at)) {
    at += code === 92 ? 2 : 1;
  }
  return Math.min(at, text.length);
}

function unescaped(quoted: string, longest: number): string {
  // The cut may halve an escape.
  const cut = quoted.length > longest ? quoted.slice(0, longest).replace(/\\(?:u[\da-fA-F]{0,3})?$/, '') : quoted;
  if (!cut.includes('\\')) return cut;
  try {
    return JSON.parse(`"${cut}"`) as string;
  } catch {
    return cut;
  }
}
