export interface BarRange {
  /** Epoch milliseconds of the first and the last column. */
  start: number;
  end: number;
}

/**
 * Draws when something ran as a bar of `width` columns, in steps of half a column. What ran for no
 * visible time is still one mark.
 * @param end absent while it runs: the bar then goes on to the last column, dashed.
 */
export function bar(range: BarRange, start: number, end: number | undefined, width: number): string {
  const steps = width * 2;
  const length = range.end - range.start;
  const step = (time: number) =>
    length > 0 ? Math.min(steps, Math.max(0, Math.round(((time - range.start) / length) * steps))) : 0;
  const first = Math.min(step(start), steps - 1);
  const last = end === undefined ? steps : Math.max(step(end), first + 1);
  let result = '';
  for (let column = 0; column < width; column += 1) {
    const left = column * 2 >= first && column * 2 < last;
    const right = column * 2 + 1 >= first && column * 2 + 1 < last;
    if (end === undefined && (left || right)) result += '╍';
    else if (left && right) result += '━';
    else if (left) result += '╸';
    else result += right ? '╺' : ' ';
  }
  return result;
}

/**
 * @returns the line above the bars: nought at its first column, `label` (what the last column
 * stands for) at its end.
 */
export function scale(label: string, width: number): string {
  const dashes = width - label.length - 3;
  return dashes < 0 ? label.padStart(width).slice(-width) : `0 ${'╌'.repeat(dashes)} ${label}`;
}
