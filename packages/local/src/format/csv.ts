/**
 * @returns rows as CSV (RFC 4180): a field is quoted where it holds a quote, a comma or a line end;
 * null is an empty field.
 */
export function toCsv(rows: readonly (readonly unknown[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text =
    typeof value === 'object'
      ? JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member))
      : String(value);
  // An empty text is not a missing value.
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
