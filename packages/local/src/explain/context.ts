import { duration } from '../format/time.ts';
import type { Trace, TraceNode } from '../trace/trace.ts';
import type { NodePart } from './critical-path.ts';
import type { Evidence, ExplanationKind, Part, RunContext } from './explanation.ts';
import type { GroupTerm } from './rules/terms.ts';

/** The input of a rule. */
export interface RuleContext {
  trace: Trace;
  /** The node whose time the caller waited. */
  request: TraceNode;
  /** Every node, each before its children. */
  nodes: TraceNode[];
  /** Milliseconds. */
  waited: number;
  path: NodePart[];
  terms: GroupTerm[];
  run: RunContext;
}

/** A rule that applies, in the words of the sentence. */
export interface Finding {
  kind: ExplanationKind;
  parts: Part[];
  /** A failure's reason alone, for lists. */
  reason?: Part[];
}

export type Rule = (context: RuleContext) => Finding | undefined;

/** @returns a duration of some nodes as evidence. */
export function time(milliseconds: number, what: string, nodes: readonly TraceNode[]): Evidence {
  return { text: duration(milliseconds), what, nodes: nodes.map(({ id }) => id) };
}

/** @returns words that were read from nodes as evidence. */
export function named(text: string, what: string, nodes: readonly TraceNode[]): Evidence {
  return { text, what, nodes: nodes.map(({ id }) => id) };
}

/** @returns a whole number of percent as evidence. */
export function percent(term: GroupTerm): Evidence {
  return { text: `${Math.round(term.share * 100)} %`, what: 'share of the request', nodes: term.nodes };
}

/** @returns the parts with `separator` between them. */
export function joined(lists: readonly (readonly Part[])[], separator: string): Part[] {
  return lists.flatMap((list, at) => (at === 0 ? list : [separator, ...list]));
}
