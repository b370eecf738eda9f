import { matchesPattern, matchesWildcard } from '../tracing/trace-decision.ts';

export type PolicyDecision = 'allow' | 'explicit-deny' | 'implicit-deny';

type Texts = string | string[];

interface Statement {
  Effect?: unknown;
  Action?: Texts;
  NotAction?: Texts;
  Resource?: Texts;
  NotResource?: Texts;
  Condition?: unknown;
}

const ownAction = 'execute-api:Invoke';

/** @param ignoresCase actions do, ARNs do not */
function covers(patterns: Texts | undefined, text: string, ignoresCase: boolean): boolean {
  const list = typeof patterns === 'string' ? [patterns] : Array.isArray(patterns) ? patterns : [];
  const match = ignoresCase ? matchesWildcard : matchesPattern;
  return list.some((pattern) => match(String(pattern), text));
}

function applies(statement: Statement, arn: string): boolean {
  const action = statement.NotAction
    ? !covers(statement.NotAction, ownAction, true)
    : covers(statement.Action, ownAction, true);
  return (
    action &&
    (statement.NotResource ? !covers(statement.NotResource, arn, false) : covers(statement.Resource, arn, false))
  );
}

/**
 * Decides by the policy that an authorizer returned: an explicit deny wins, and what is not allowed
 * is denied. A condition cannot be evaluated here, so that a statement with one never allows and
 * always denies.
 * @param arn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>`
 */
export function evaluatePolicy(statements: Statement[], arn: string): PolicyDecision {
  const applying = statements.filter((statement) => applies(statement, arn));
  const effect = (statement: Statement): string => String(statement.Effect).toLowerCase();
  if (applying.some((statement) => effect(statement) === 'deny')) return 'explicit-deny';
  const allowed = applying.some(
    (statement) => effect(statement) === 'allow' && Object.keys((statement.Condition as object) ?? {}).length === 0,
  );
  return allowed ? 'allow' : 'implicit-deny';
}

/**
 * @returns the statements of an authorizer's answer, or undefined if it does not hold a valid
 * policy.
 */
export function readPolicy(document: unknown): Statement[] | undefined {
  const { Statement: given } = (document ?? {}) as { Statement?: unknown };
  const list = Array.isArray(given) ? given : given === undefined || given === null ? [] : [given];
  const valid = list.every(
    (one) => one !== null && typeof one === 'object' && /^(allow|deny)$/i.test(String((one as Statement).Effect)),
  );
  return list.length > 0 && valid ? (list as Statement[]) : undefined;
}
