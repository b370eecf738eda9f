import type { TraceNode } from '../../trace/trace.ts';
import type { NodePart } from '../critical-path.ts';
import type { Term } from '../explanation.ts';
import { type Group, type GroupKind, groupOf } from '../groups.ts';

export interface GroupTerm extends Term {
  kind: GroupKind;
  /** The nodes themselves, in the order of their ends. */
  members: TraceNode[];
}

/**
 * Adds the parts of the critical path up by group, the largest first. Their sum is the length of
 * the path.
 */
export function termsOf(path: readonly NodePart[]): GroupTerm[] {
  const whole = path.reduce((sum, { start, end }) => sum + (end - start), 0);
  const terms = new Map<string, GroupTerm>();
  for (const part of path) {
    const group = groupOfPart(part);
    const key = `${group.kind} ${group.label}`;
    const term = terms.get(key) ?? { ...group, milliseconds: 0, share: 0, nodes: [], members: [] };
    term.milliseconds += part.end - part.start;
    if (!term.members.includes(part.node)) {
      term.nodes.push(part.node.id);
      term.members.push(part.node);
    }
    terms.set(key, term);
  }
  return [...terms.values()]
    .map((term) => ({ ...term, share: whole > 0 ? term.milliseconds / whole : 0 }))
    .sort((one, other) => other.milliseconds - one.milliseconds);
}

/**
 * Between the invocation and the function's own beginning, this laptop starts a process; AWS starts
 * none of the kind.
 */
function groupOfPart({ node, end }: NodePart): Group {
  const group = groupOf(node);
  if (node.origin !== 'AWS::Lambda') return group;
  const begun = node.children.find(({ origin }) => origin === 'AWS::Lambda::Function')?.start;
  return begun !== undefined && end <= begun
    ? { kind: 'process-start', label: 'starting a process on this machine' }
    : group;
}

/** @returns `first`, then the largest others, until they add up to 80 % or are three. */
export function leadingTerms(terms: readonly GroupTerm[], first?: GroupTerm): GroupTerm[] {
  const chosen = first ? [first] : [];
  for (const term of terms) {
    const sum = chosen.reduce((total, { share }) => total + share, 0);
    if (sum >= 0.8 || chosen.length === 3) break;
    if (term !== first && term.milliseconds > 0) chosen.push(term);
  }
  return chosen;
}
