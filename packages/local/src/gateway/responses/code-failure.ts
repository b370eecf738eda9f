import type { GatewayAnswer } from '../answer.ts';

/**
 * Answers 502 for a function that does not build, and says why: such a function could not be
 * deployed, so AWS has no answer for it.
 * @param failure a sentence; its further lines show the place in the source.
 */
export function codeFailureAnswer(failure: string): GatewayAnswer {
  const [message = '', ...source] = failure.split('\n');
  const document = { message, ...(source.length > 0 ? { source } : {}) };
  return {
    status: 502,
    headers: [
      ['X-Throughline-Error', message.replace(/[^\t\x20-\x7e]/g, '?')],
      ['Content-Type', 'application/json'],
    ],
    // Indented, so that a terminal shows the lines of the source below each other.
    body: Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`),
  };
}
