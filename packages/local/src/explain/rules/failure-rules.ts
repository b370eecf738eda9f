import { condense } from '../../format/log-line.ts';
import { duration } from '../../format/time.ts';
import type { Trace, TraceNode } from '../../trace/trace.ts';
import { named, type Rule, type RuleContext, time } from '../context.ts';
import type { Part, RunContext } from '../explanation.ts';
import { described, failureOf } from '../failure.ts';
import { groupOf } from '../groups.ts';

/** The code does not build, so the function was never started. */
export const buildFailure: Rule = ({ nodes }) => {
  for (const node of nodes) {
    const message = node.exceptions.map((one) => one.message ?? '').find((text) => /\bdo(es)? not build\b/.test(text));
    if (message === undefined) continue;
    const reason = [named(oneLine(message), 'message of the failed build', [node])];
    return { kind: 'build', reason, parts: ['The build fails, so nothing ran: ', ...reason, '.'] };
  }
  return undefined;
};

/** An exception left the function, or the gateway refused the request. */
export const failure: Rule = (context) => {
  const { trace, request, run } = context;
  const status = trace.http?.status;
  if (!trace.fault && !trace.error && (status === undefined || status < 400)) return undefined;
  if (timeoutAt(context) !== undefined) return undefined;
  const answered: Part[] =
    status === undefined
      ? ['Failed']
      : [status >= 500 ? 'Failed with ' : 'Answered ', named(String(status), 'HTTP status', [request])];
  const reason = reasonOf(context);
  if (!reason) return { kind: 'failure', parts: [...answered, ...withoutReason(context), '.'] };
  return { kind: 'failure', reason, parts: [...answered, ': ', ...reason, ...repeated(run), '.'] };
};

function reasonOf(context: RuleContext): Part[] | undefined {
  const found = failureOf(context.trace);
  if (!found) return codeOf(context);
  const { deepest, outer, node } = found;
  const at = node ? [node.id] : [];
  const logs = deepest.log === undefined ? {} : { logs: [deepest.log] };
  const parts: Part[] = [{ text: described(deepest), what: 'deepest cause', nodes: at, ...logs }];
  if (outer.message !== deepest.message && outer.type !== deepest.type)
    parts.push(' (', { text: described(outer), what: 'exception', nodes: at }, ')');
  if (node && groupOf(node).kind === 'call') {
    parts.push(', in ', named(callOf(node), 'call that failed', [node]));
  } else {
    const before = lastCall(context, node);
    if (before) parts.push(', after ', named(callOf(before), 'last call before it', [before]), ...answerOf(before));
  }
  if (deepest.place) parts.push(', at ', { text: deepest.place, what: 'place in the source', nodes: at, ...logs });
  return parts;
}

/** The service's own code for the error, where nothing was thrown or all of it was handled. */
function codeOf({ nodes }: RuleContext): Part[] | undefined {
  const node = nodes.find(({ annotations }) => typeof annotations.error_code === 'string');
  if (node) return [named(oneLine(String(node.annotations.error_code)), 'error_code of the request', [node])];
  const failed = nodes.filter((one) => groupOf(one).kind === 'call' && (one.fault || one.error)).at(-1);
  return failed ? [named(callOf(failed), 'call that failed', [failed]), ...answerOf(failed)] : undefined;
}

function withoutReason({ nodes }: RuleContext): Part[] {
  const called = nodes.some(({ origin }) => origin?.startsWith('AWS::Lambda'));
  if (!called) return [' without calling a function: the gateway refused it'];
  const thrown = nodes.some(({ origin, fault }) => origin === 'AWS::Lambda::Function' && fault);
  return thrown
    ? [': the function failed, but no exception, error log or failed call was recorded']
    : [': the function itself ended without an error, so it returned this status or an invalid response'];
}

function answerOf(node: TraceNode): Part[] {
  const status = node.http?.status;
  return status === undefined ? [] : [' answered ', named(String(status), 'HTTP status of the call', [node])];
}

/** A call that answered just before the exception is where a wrong answer comes from. */
function lastCall({ nodes }: RuleContext, failed: TraceNode | undefined): TraceNode | undefined {
  const until = failed?.end ?? Number.POSITIVE_INFINITY;
  const calls = nodes.filter(
    (node) => groupOf(node).kind === 'call' && (node.end ?? Number.POSITIVE_INFINITY) <= until,
  );
  return calls.sort((one, other) => (one.end ?? 0) - (other.end ?? 0)).at(-1);
}

/** As it was sent, since a failed call is one call: its IDs are not folded. */
function callOf(node: TraceNode): string {
  const { http, namespace } = node;
  if (namespace === 'aws' || !http?.url) return groupOf(node).label;
  const target = http.url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[?#].*$/, '');
  return oneLine([http.method, target].filter(Boolean).join(' '));
}

function repeated({ failures }: RunContext): Part[] {
  if (failures === undefined || failures < 2) return [];
  return ['; ', { text: `${failures} times in this run`, what: 'requests that failed for this reason', run: true }];
}

/** The function, or the gateway, stopped waiting. */
export const timeout: Rule = (context) => {
  const at = timeoutAt(context);
  if (!at) return undefined;
  const reason: Part[] = [...at.parts, ...openAt(context, at.time)];
  return { kind: 'timeout', reason, parts: [...reason, ...repeated(context.run), '.'] };
};

interface Timeout {
  time: number;
  parts: Part[];
}

const taskTimedOut = /Task timed out after ([\d.]+) seconds/;

function timeoutAt({ nodes, trace, request, waited }: RuleContext): Timeout | undefined {
  for (const node of nodes) {
    const after = node.exceptions.map(({ message = '' }) => taskTimedOut.exec(message)?.[1]).find(Boolean);
    if (after !== undefined) {
      const limit = named(duration(Number(after) * 1000), "the function's timeout", [node]);
      return { time: node.end ?? trace.end, parts: ['Timed out after ', limit] };
    }
  }
  const line = trace.logs.findIndex(({ message }) => taskTimedOut.test(message));
  const after = taskTimedOut.exec(trace.logs[line]?.message ?? '')?.[1];
  if (after !== undefined) {
    const limit = { text: duration(Number(after) * 1000), what: "the function's timeout", logs: [line] };
    return { time: trace.logs[line]?.time ?? trace.end, parts: ['Timed out after ', limit] };
  }
  if (trace.http?.status !== 504 || !request.origin?.startsWith('AWS::ApiGateway')) return undefined;
  const limit = time(waited, 'duration of the request', [request]);
  return { time: request.end ?? trace.end, parts: ['The gateway stopped waiting after ', limit] };
}

/** A span that the end of the process cut off ends within this time of the timeout. */
const cutOffMilliseconds = 150;

function openAt({ nodes, trace, request }: RuleContext, at: number): Part[] {
  const cut = (node: TraceNode) =>
    node.end === undefined || node.annotations.timed_out === true || node.end >= at - cutOffMilliseconds;
  const open = nodes.filter((node) => {
    const { kind } = groupOf(node);
    return (kind === 'call' || kind === 'own') && node.start < at && cut(node) && !node.children.some(cut);
  });
  const [first] = open;
  const said = lastWords(trace, request.start, at);
  if (!first) {
    return said.length > 0
      ? [" in the handler's own code", ...said]
      : [' with no span open and nothing logged, so in the handler’s own code'];
  }
  const since = time(at - first.start, 'time the call was open', [first]);
  const label = groupOf(first).kind === 'call' ? callOf(first) : groupOf(first).label;
  const more = open.length > 1 ? [' (and ', named(`${open.length - 1} more`, 'open spans', open.slice(1)), ')'] : [];
  return [', waiting for ', named(label, 'open when time was up', [first]), ...more, ' for ', since, ...said];
}

/** @returns the last line that the service itself logged before `at`. */
export function lastWords(trace: Trace, from: number, at: number): Part[] {
  for (let index = trace.logs.length - 1; index >= 0; index--) {
    const log = trace.logs[index];
    if (!log || log.time > at || log.time < from || taskTimedOut.test(log.message)) continue;
    const { kind, level, text } = condense(log);
    if (kind !== 'line' || level === '' || text === '') continue;
    const short = oneLine(text.split('  ')[0] ?? text).slice(0, 80);
    const before = { text: duration(at - log.time), what: 'time after the last log line', logs: [index] };
    return [', ', before, ' after its last log line ', { text: `“${short}”`, what: 'last log line', logs: [index] }];
  }
  return [];
}

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length > 300 ? `${flat.slice(0, 299)}…` : flat;
}
