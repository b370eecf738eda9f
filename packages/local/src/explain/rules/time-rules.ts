import { duration } from '../../format/time.ts';
import type { TraceNode } from '../../trace/trace.ts';
import { type Finding, joined, named, percent, type Rule, type RuleContext, time } from '../context.ts';
import type { ExplanationKind, Part } from '../explanation.ts';
import { type GroupKind, groupOf } from '../groups.ts';
import { lastWords } from './failure-rules.ts';
import { type GroupTerm, leadingTerms } from './terms.ts';

/** Nothing has been answered yet. */
export const inProgress: Rule = ({ nodes, request, waited }) => {
  if (request.end !== undefined) return undefined;
  const open = nodes.filter((node) => node.inProgress && !node.children.some((child) => child.inProgress)).at(-1);
  const where: Part[] =
    open && open !== request ? [', in ', named(groupOf(open).label, 'deepest open span', [open])] : [];
  return { kind: 'in-progress', parts: ['In progress for ', time(waited, 'time so far', [request]), ...where, '.'] };
};

const leastRepeated = 5;

/** Equal calls that wait for each other. */
export const sequence: Rule = (context) => {
  const { terms, waited, request } = context;
  for (const term of terms) {
    if (term.kind !== 'call' || term.share < 0.2) continue;
    const calls = oneAfterAnother(term.members);
    if (calls.length < leastRepeated) continue;
    const lengths = calls.map(({ start, end = start }) => end - start);
    const sum = lengths.reduce((total, length) => total + length, 0);
    const parts: Part[] = [
      time(waited, 'duration of the request', [request]),
      ', of which ',
      time(sum, 'sum of these calls', calls),
      ' in ',
      named(`${calls.length} × ${term.label}`, 'equal calls', calls),
      ' one after another (at once about ',
      time(Math.max(...lengths), 'the longest of these calls', calls),
      ')',
    ];
    return { kind: 'sequence', parts: [...parts, ...others(context, term), ...usual(context), '.'] };
  }
  return undefined;
};

/**
 * Two clocks, or one that is rounded, may say so much that a call began before the end of the one
 * it waited for.
 */
const clockMilliseconds = 1;

/** @returns the longest row of calls in which each begins after the one before has ended. */
function oneAfterAnother(nodes: readonly TraceNode[]): TraceNode[] {
  const row: TraceNode[] = [];
  for (const node of [...nodes].sort((one, other) => (one.end ?? 0) - (other.end ?? 0))) {
    const before = row.at(-1);
    if (node.end !== undefined && (before?.end === undefined || node.start >= before.end - clockMilliseconds))
      row.push(node);
  }
  return row;
}

/** A service asked to slow down, and the SDK tried again. */
export const throttling: Rule = (context) => {
  const { nodes, terms, waited, request } = context;
  const retries = ({ aws }: TraceNode) => (typeof aws?.retries === 'number' ? aws.retries : 0);
  const affected = nodes.filter(
    (node) => groupOf(node).kind === 'call' && (node.throttle || node.http?.status === 429 || retries(node) > 0),
  );
  const [first] = affected;
  if (!first) return undefined;
  const spent = terms
    .filter(({ members }) => members.some((node) => affected.includes(node)))
    .reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  if (spent < 0.2 * waited) return undefined;
  const tried = affected.reduce((sum, node) => sum + retries(node), 0);
  const throttled = affected.some((node) => node.throttle || node.http?.status === 429);
  const parts: Part[] = [
    time(waited, 'duration of the request', [request]),
    ', of which ',
    time(spent, 'time in the calls that were throttled or retried', affected),
    ' in ',
    named(groupOf(first).label, 'call', affected),
    throttled ? ', which was throttled' : '',
    tried > 0 ? (throttled ? ' and retried ' : ', which was retried ') : '',
    ...(tried > 0 ? [named(`${tried} ${tried === 1 ? 'time' : 'times'}`, 'retries of the SDK', affected)] : []),
  ];
  return { kind: 'throttling', parts: [...parts, ...usual(context), '.'] };
};

/** One group has a large share. */
export const group: Rule = (context) => first(context, 'group', ['call', 'own'], 0.4);

/** The environment was initialized while the caller waited. */
export const init: Rule = (context) => first(context, 'init', ['init'], 0.3);

/** Code ran that no span covers. */
export const uncoveredTime: Rule = (context) => first(context, 'uncovered', ['uncovered'], 0.2);

/** The laptop started a process, which AWS does not do in this place. */
export const processStart: Rule = (context) => first(context, 'process-start', ['process-start'], 0.2);

/** No rule before applies: the largest shares. */
export const spread: Rule = (context) => {
  const [largest] = context.terms;
  return largest && shares(context, 'spread', largest);
};

function first(context: RuleContext, kind: ExplanationKind, kinds: GroupKind[], least: number): Finding | undefined {
  const term = context.terms.find((one) => kinds.includes(one.kind) && one.share >= least);
  return term && shares(context, kind, term);
}

function shares(context: RuleContext, kind: ExplanationKind, term: GroupTerm): Finding {
  const { waited, request, trace } = context;
  const calls: Part[] =
    term.members.length > 1 && term.kind === 'call'
      ? [named(`${term.members.length} × `, 'equal calls', term.members)]
      : [];
  const parts: Part[] = [
    time(waited, 'duration of the request', [request]),
    ', of which ',
    time(term.milliseconds, 'self time of this group', term.members),
    ' (',
    percent(term),
    ') in ',
    ...calls,
    named(term.label, 'group', term.members),
  ];
  if (term.kind === 'uncovered') {
    const end = Math.max(...term.members.map(({ end: at = request.start }) => at));
    parts.push(...lastWords(trace, request.start, end));
  }
  if (term.kind === 'process-start') parts.push(', which AWS does not do');
  return { kind, parts: [...parts, ...others(context, term), ...usual(context), '.'] };
}

function others({ terms }: RuleContext, head: GroupTerm): Part[] {
  const rest = leadingTerms(terms, head).slice(1);
  const lists = rest.map((term): Part[] => [
    time(term.milliseconds, 'self time of this group', term.members),
    ' in ',
    named(term.label, 'group', term.members),
  ]);
  return lists.length > 0 ? [', ', ...joined(lists, ', ')] : [];
}

/** Against the median of the route's other requests. */
function usual({ waited, run }: RuleContext): Part[] {
  const { usual: known } = run;
  if (!known) return [];
  if (known.requests === 0) return ['; the first of its kind in this run'];
  const other = {
    text: duration(known.milliseconds),
    what: "duration of the route's only other request",
    run: true,
  } as const;
  if (known.requests === 1) return ['; the only other one took ', other];
  const median = {
    text: duration(known.milliseconds),
    what: `median of the route's other requests`,
    run: true,
  } as const;
  const ratio = waited / known.milliseconds;
  if (ratio >= 1.5) {
    const times = ratio >= 10 ? String(Math.round(ratio)) : ratio.toFixed(1).replace(/\.0$/, '');
    return ['; ', { text: `${times} times`, what: 'duration against the median', run: true }, ' its usual ', median];
  }
  return [ratio <= 0.67 ? '; faster than its usual ' : '; usual for this route: ', median];
}
