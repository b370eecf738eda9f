const bars = '▁▂▃▄▅▆▇█';

/**
 * @returns one character a value, as high as its share of the largest; a space where there is none.
 */
export function sparkline(
  values: readonly (number | null)[],
  most = Math.max(0, ...values.map((value) => value ?? 0)),
): string {
  return values
    .map((value) => {
      if (value === null) return ' ';
      const share = most > 0 ? Math.max(0, value) / most : 0;
      return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))] ?? ' ';
    })
    .join('');
}
