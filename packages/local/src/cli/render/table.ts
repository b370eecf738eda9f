import { cell, line, plain, type RenderOptions, columns as widthOf } from './text.ts';

export interface TableColumn {
  name: string;
  /** Numbers are put one above the other by their ends. */
  align: 'left' | 'right';
}

const gap = '  ';
/** A column is not made narrower than this while another is wider. */
const narrowest = 6;

/**
 * @returns a table in at most the terminal's width: the widest columns give way first, and what
 * does not fit ends in `…`.
 */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  { width, color }: RenderOptions,
): string {
  const widths = columns.map(({ name }, at) =>
    Math.max(widthOf(plain(name)), ...rows.map((row) => Math.min(width, widthOf(plain(row[at] ?? ''))))),
  );
  fit(widths, Math.max(columns.length * 2, width - gap.length * (columns.length - 1)));
  const cells = (texts: readonly string[]) =>
    columns.map(({ align }, at) => cell(texts[at] ?? '', widths[at] ?? 0, align)).join(gap);
  return [
    line([{ text: cells(columns.map(({ name }) => name)), style: 'bold' }], width, color),
    ...rows.map((row) => line([{ text: cells(row) }], width, color)),
  ].join('\n');
}

function fit(widths: number[], room: number): void {
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  while (over > 0) {
    const widest = Math.max(...widths);
    if (widest <= narrowest && widest <= 1) return;
    const at = widths.indexOf(widest);
    const next = Math.max(...widths.filter((_, other) => other !== at), widest > narrowest ? narrowest : 1);
    const less = Math.min(over, Math.max(1, widest - next));
    widths[at] = widest - less;
    over -= less;
  }
}
