/** How a piece of text looks, in the terminal and on the page. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'warning' | 'bad' | 'throttled' | 'accent' | 'cold';

/** A piece of a line. Its text is untrusted: it comes from telemetry. */
export interface Piece {
  text: string;
  style?: Style;
}

/**
 * @returns the sign that says without colours how a node ended: `✗` fault, `!` error, `»`
 * throttled.
 */
export function markOf(node: { fault: boolean; error: boolean; throttle: boolean }): Required<Piece> | undefined {
  if (node.fault) return { text: '✗', style: 'bad' };
  if (node.throttle) return { text: '»', style: 'throttled' };
  return node.error ? { text: '!', style: 'warning' } : undefined;
}

/** @returns the style of an HTTP status. */
export function statusStyle(status = 0): Style {
  return status >= 500 ? 'bad' : status >= 400 ? 'warning' : 'good';
}
