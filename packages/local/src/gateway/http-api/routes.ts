import type { LocalHttpApiRoute } from '../../service/apis/api-model.ts';
import type { LocalFunction } from '../../service/model.ts';
import { compareSpecificity, matchSegments } from '../routes.ts';

export interface HttpMatch {
  /** `GET /items/{id}`, or `$default`. */
  routeKey: string;
  route: LocalHttpApiRoute;
  /** Absent: it does not run here. */
  lambda?: LocalFunction;
  /** Decoded, as an HTTP API hands them on. */
  pathParameters?: Record<string, string>;
  /** Of the route's path; empty for `$default`. */
  segments: string[];
}

export type HttpRouter = (method: string, path: string) => HttpMatch | undefined;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An HTTP API tells `/items/` from `/items`. */
function split(path: string): string[] {
  const trimmed = path.replace(/^\//, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

/**
 * Compiles the routes of an HTTP API into a matcher: the most specific route that has the method, a
 * method before `ANY`, `$default` last
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation).
 */
export function createHttpRouter(functions: LocalFunction[], closedRoutes: LocalHttpApiRoute[] = []): HttpRouter {
  const all = [
    ...functions.flatMap((lambda) => (lambda.httpApiRoutes ?? []).map((route) => ({ lambda, route }))),
    ...closedRoutes.map((route) => ({ route })),
  ].map((one) => ({ ...one, segments: split(one.route.path) }));
  const fallback = all.find(({ route }) => route.path === '$default');
  const ordered = all
    .filter(({ route }) => route.path !== '$default')
    .sort(
      (a, b) =>
        compareSpecificity(a.segments, b.segments) ||
        Number(a.route.method === 'ANY') - Number(b.route.method === 'ANY'),
    );
  return (method, path) => {
    const given = split(path);
    for (const { segments, ...one } of ordered) {
      if (one.route.method !== 'ANY' && one.route.method !== method) continue;
      const parameters = matchSegments(segments, given);
      if (!parameters) continue;
      const entries = Object.entries(parameters).map(([name, value]) => [name, decoded(value)]);
      return {
        ...one,
        routeKey: `${one.route.method} ${one.route.path}`,
        segments,
        ...(entries.length > 0 ? { pathParameters: Object.fromEntries(entries) } : {}),
      };
    }
    return fallback && { ...fallback, routeKey: '$default', segments: [] };
  };
}
