/**
 * @returns `value` as an SQL literal, whatever is in it: NUL, which would end the statement, as
 * chr(0).
 */
export function textLiteral(value: string): string {
  const parts = value.toWellFormed().split('\0');
  const quoted = parts.map((part) => `'${part.replaceAll("'", "''")}'`);
  return quoted.length === 1 ? (quoted[0] ?? "''") : `(${quoted.join(' || chr(0) || ')})`;
}

/** @returns a finite number as an SQL literal. */
export function numberLiteral(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : `'${value}'::DOUBLE`;
}

/**
 * @returns the JSON pointer of a member, as an SQL literal. A pointer can hold any key, a JSON path
 * cannot.
 */
export function pointerLiteral(key: string): string {
  return textLiteral(`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}
