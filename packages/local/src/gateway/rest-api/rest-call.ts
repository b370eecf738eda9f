import type { LocalFunction, LocalRoute } from '../../service/model.ts';
import type { Call } from '../gateway.ts';
import type { RouteMatch } from '../routes.ts';
import type { StageSegment } from '../tracing/stage-segment.ts';

/** The caller of a route, as its guards know it. */
export interface Admission {
  /** `requestContext.authorizer`. */
  authorizer?: Record<string, unknown>;
  apiKey?: { id: string; value: string };
  /** The ARN of the caller of a route with `aws_iam`. */
  principal?: string;
}

/** A request that a route of the REST API has claimed. */
export interface RestCall extends Call {
  /** Without the stage. */
  path: string;
  match: RouteMatch;
  lambda: LocalFunction;
  route: LocalRoute;
  segment: StageSegment;
  admission: Admission;
}
