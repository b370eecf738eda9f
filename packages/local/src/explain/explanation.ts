/**
 * A piece of the sentence that comes from the trace or the run, with the place where it can be
 * checked.
 */
export interface Evidence {
  /** As it stands in the sentence. */
  text: string;
  /** Its meaning, such as `duration of the request`. */
  what: string;
  /** The IDs of the nodes it was read from. */
  nodes?: string[];
  /** Its log lines, by their index in `trace.logs`. */
  logs?: number[];
  /** It was counted over the requests of the run. */
  run?: true;
}

/** A piece of the sentence: evidence, or words without a number. */
export type Part = string | Evidence;

/** A share of what the caller waited. All terms of a trace add up to it. */
export interface Term {
  label: string;
  milliseconds: number;
  /** 0 to 1. */
  share: number;
  nodes: string[];
}

/**
 * The work that the request was waiting for at each moment: these parts lie end to end from its
 * start to its answer.
 */
export interface PathPart {
  node: string;
  start: number;
  end: number;
}

/** The rule that chose the sentence, in the order in which they are tried. */
export type ExplanationKind =
  | 'build'
  | 'failure'
  | 'timeout'
  | 'in-progress'
  | 'sequence'
  | 'throttling'
  | 'group'
  | 'init'
  | 'uncovered'
  | 'process-start'
  | 'spread'
  | 'no-evidence';

/** Why a request took its time or failed. */
export interface Explanation {
  kind: ExplanationKind;
  sentence: string;
  /** For a request that failed: the sentence without the request's own numbers, for a list. */
  reason?: string;
  evidence: Evidence[];
  /** The caller's wait, in milliseconds. */
  waited?: number;
  /** Self time on the critical path by group, the largest first. */
  terms: Term[];
  criticalPath: PathPart[];
  /** Evidence that would say more, and is not in the trace. */
  missing: string[];
}

/** Other requests of the run like this one. */
export interface RunContext {
  /** The median of the route's other requests. */
  usual?: { milliseconds: number; requests: number };
  /** How many requests of the run failed for this reason, this one included. */
  failures?: number;
}

/** @returns the sentence that parts make up, and its evidence. */
export function sentenceOf(parts: readonly Part[]): { sentence: string; evidence: Evidence[] } {
  return {
    sentence: parts.map((part) => (typeof part === 'string' ? part : part.text)).join(''),
    evidence: parts.filter((part) => typeof part !== 'string'),
  };
}
