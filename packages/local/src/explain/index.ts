import { requestNode } from '../trace/caller-wait.ts';
import { inOrder, type Trace } from '../trace/trace.ts';
import type { Rule, RuleContext } from './context.ts';
import { criticalPath } from './critical-path.ts';
import { type Explanation, type RunContext, sentenceOf } from './explanation.ts';
import { buildFailure, failure, timeout } from './rules/failure-rules.ts';
import { termsOf } from './rules/terms.ts';
import {
  group,
  init,
  inProgress,
  processStart,
  sequence,
  spread,
  throttling,
  uncoveredTime,
} from './rules/time-rules.ts';

export type { Evidence, Explanation, RunContext } from './explanation.ts';

/** In the order in which they are tried; the first that applies makes the sentence. */
const rules: readonly Rule[] = [
  buildFailure,
  inProgress,
  failure,
  timeout,
  sequence,
  throttling,
  group,
  init,
  uncoveredTime,
  processStart,
  spread,
];

/**
 * Says in one sentence why a request took its time or failed. Every number in it is evidence that
 * can be pointed at.
 * @param run what is known of the run's other requests.
 */
export function explain(trace: Trace, run: RunContext = {}): Explanation {
  const request = requestNode(trace.roots);
  const missing = missingFrom(trace);
  if (!request) {
    const sentence = 'Only logs, metrics or errors of this request have arrived; no span says where its time went.';
    return { kind: 'no-evidence', sentence, evidence: [], terms: [], criticalPath: [], missing };
  }
  const path = criticalPath(trace, request);
  const terms = termsOf(path);
  const waited = path.reduce((sum, { start, end }) => sum + (end - start), 0);
  const context: RuleContext = { trace, request, nodes: [...inOrder(trace.roots)], waited, path, terms, run };
  const finding = rules.map((rule) => rule(context)).find((found) => found !== undefined);
  return {
    kind: finding?.kind ?? 'no-evidence',
    ...sentenceOf(finding?.parts ?? ['Its spans have no duration, so nothing says where its time went.']),
    ...(finding?.reason && { reason: sentenceOf(finding.reason).sentence }),
    waited,
    terms: terms.map(({ label, milliseconds, share, nodes }) => ({ label, milliseconds, share, nodes })),
    criticalPath: path.map(({ node, start, end }) => ({ node: node.id, start, end })),
    missing,
  };
}

function missingFrom({ roots, logs }: Trace): string[] {
  const nodes = [...inOrder(roots)];
  const missing: string[] = [];
  const called = nodes.find(({ origin }) => origin === 'AWS::Lambda::Function');
  if (called && !called.children.some(({ name }) => name !== 'Init' && name !== 'Initialization')) {
    missing.push('The function sent no span, so its calls are not recorded.');
  }
  if (nodes.some(({ orphan }) => orphan)) missing.push('The parent of some spans has not arrived.');
  if (logs.length === 0) missing.push('No log line has arrived.');
  return missing;
}
