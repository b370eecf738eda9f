import { config } from '../config.ts';
import { requestAround } from '../context/request-context.ts';
import { environmentSecrets } from './environment-secrets.ts';
import { quotedPatterns, redacted, secretPatterns } from './patterns.ts';
import type { Range } from './secret-index.ts';

/**
 * Longer texts are cut: nothing longer is written in the end, and searching it would delay the
 * request.
 */
const longestText = 32_768;

/**
 * Redacts `text`: what looks like a secret, the function's own secrets, and what this request's
 * caller sent in confidence.
 * @returns 32 KB at most.
 */
export function redactText(text: string): string {
  let result = text.length > longestText ? text.slice(0, longestText) : text;
  const request = requestAround();
  const own = environmentSecrets().find(result);
  const sent = request?.secrets().find(result, request.user) ?? [];
  result = without(result, own.length > 0 ? [...own, ...sent].sort(([a], [b]) => a - b) : sent);
  for (const [pattern, replacement] of secretPatterns) result = result.replace(pattern, replacement);
  for (const [pattern, replacement] of config.ofService().patterns) result = result.replace(pattern, replacement);
  if (!/["']/.test(result)) return result;
  for (const [pattern, replacement] of quotedPatterns) result = result.replace(pattern, replacement);
  return result;
}

/**
 * Takes out whatever any secret covers. A longer encoding often begins like the one that is quoted:
 * taken out first, it would leave an end that nothing recognizes.
 */
function without(text: string, covered: readonly Range[]): string {
  let result = '';
  let from = 0;
  for (const [start, end] of covered) {
    if (start >= from) result += text.slice(from, start) + redacted;
    from = Math.max(from, end);
  }
  return result + text.slice(from);
}
