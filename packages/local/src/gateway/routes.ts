import type { LocalCors, LocalFunction, LocalRoute } from '../service/model.ts';

export interface Method {
  /** Absent: it does not run here. */
  lambda?: LocalFunction;
  route: LocalRoute;
}

/** A path of the API: what API Gateway calls a resource. */
export interface Resource {
  /** `/api/activities/{id}`. */
  path: string;
  /** By method in upper case, or `ANY`. */
  methods: Map<string, Method>;
  /**
   * The preflight that Serverless generates for it; absent where no event of the path asks for one.
   */
  cors?: LocalCors;
}

export interface RouteMatch {
  resource: Resource;
  /**
   * As the client wrote them: REST APIs do not decode path variables. Null where the resource has
   * none.
   */
  pathParameters: Record<string, string> | null;
}

const rank = (segment: string | undefined): number => {
  if (segment === undefined) return 3;
  if (!segment.startsWith('{')) return 0;
  return segment.endsWith('+}') ? 2 : 1;
};

/**
 * @returns less than 0 where path `a` is more specific than `b`: static, then `{variable}`, then
 * `{proxy+}`, segment by segment.
 */
export function compareSpecificity(a: string[], b: string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = rank(a[index]) - rank(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @returns the segments of a path; slashes at its ends do not count in a REST API. */
export function split(path: string): string[] {
  const trimmed = path.replace(/^\/+/, '').replace(/\/+$/, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

/**
 * @returns the path variables as the client wrote them, or undefined where the path is another one.
 */
export function matchSegments(segments: string[], path: string[]): Record<string, string> | undefined {
  const parameters: Record<string, string> = Object.create(null);
  for (const [index, segment] of segments.entries()) {
    const value = path[index];
    if (value === undefined) return undefined;
    if (rank(segment) === 2) {
      parameters[segment.slice(1, -2)] = path.slice(index).join('/');
      return parameters;
    }
    if (rank(segment) === 0 ? segment !== value : value === '') return undefined;
    if (rank(segment) === 1) parameters[segment.slice(1, -1)] = value;
  }
  return path.length === segments.length ? parameters : undefined;
}

/**
 * Serverless makes one preflight of a path from the settings of all its events: unions, and the
 * last `maxAge`.
 */
function mergeCors(before: LocalCors | undefined, cors: LocalCors): LocalCors {
  const union = (a: string[] = [], b: string[] = []): string[] => [...new Set([...b, ...a])];
  return {
    origins: union(before?.origins, cors.origins),
    headers: union(before?.headers, cors.headers),
    methods: union(before?.methods, cors.methods),
    allowCredentials: cors.allowCredentials || before?.allowCredentials === true,
    ...(cors.maxAgeSeconds !== undefined || before?.maxAgeSeconds !== undefined
      ? { maxAgeSeconds: cors.maxAgeSeconds ?? before?.maxAgeSeconds }
      : {}),
  };
}

/**
 * Compiles the routes of all functions into a matcher that chooses as a REST API does: the most
 * specific path wins, segment by segment (static, then `{variable}`, then `{proxy+}`), case counts,
 * a slash at the end does not, and a path variable is never empty. The method plays no part in the
 * choice: a path that lacks it is not rescued by a less specific one.
 */
export function createRouter(
  functions: LocalFunction[],
  closedRoutes: LocalRoute[] = [],
): (path: string) => RouteMatch | undefined {
  const resources = new Map<string, Resource>();
  const methods: Method[] = [
    ...closedRoutes.map((route) => ({ route })),
    ...functions.flatMap((lambda) => lambda.routes.map((route) => ({ lambda, route }))),
  ];
  for (const method of methods) {
    const { route } = method;
    const key = `/${split(route.path).join('/')}`;
    const resource: Resource = resources.get(key) ?? { path: key, methods: new Map() };
    resource.methods.set(route.method.toUpperCase(), method);
    if (route.cors) resource.cors = mergeCors(resource.cors, route.cors);
    resources.set(key, resource);
  }
  const compiled = [...resources.values()]
    .map((resource) => ({ resource, segments: split(resource.path) }))
    .sort((a, b) => compareSpecificity(a.segments, b.segments));
  return (path) => {
    const segments = split(path);
    for (const candidate of compiled) {
      const parameters = matchSegments(candidate.segments, segments);
      if (!parameters) continue;
      const pathParameters = Object.keys(parameters).length > 0 ? parameters : null;
      return { resource: candidate.resource, pathParameters };
    }
    return undefined;
  };
}

/**
 * Finds the resource of a request's path: as it is, or without the stage that begins the URLs of a
 * deployed API, where no route claims the path as it is.
 * @returns the match, and the path without the stage.
 */
export function route(
  router: (path: string) => RouteMatch | undefined,
  stage: string,
  path: string,
): { path: string; match?: RouteMatch } {
  const direct = router(path);
  if (direct) return { path, match: direct };
  const prefix = `/${stage}`;
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return { path };
  const rest = path.slice(prefix.length) || '/';
  const found = router(rest);
  return found ? { path: rest, match: found } : { path };
}
