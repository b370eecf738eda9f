import type { LocalCors, LocalFunction } from '../../service/model.ts';

/** A path of the API: what API Gateway calls a resource. */
export interface Resource {
  /** `/api/activities/{id}`. */
  path: string;
  /** By method in upper case, or `ANY`. */
  methods: Map<string, LocalFunction>;
  /** The preflight that Serverless generates for it; absent where no event of the path asks for one. */
  cors?: LocalCors;
}

export interface RouteMatch {
  resource: Resource;
  /** As the client wrote them: REST APIs do not decode path variables. Null where the resource has none. */
  pathParameters: Record<string, string> | null;
}

interface Compiled {
  resource: Resource;
  segments: string[];
}

const rank = (segment: string | undefined): number => {
  if (segment === undefined) return 3;
  if (!segment.startsWith('{')) return 0;
  return segment.endsWith('+}') ? 2 : 1;
};

function bySpecificity(a: Compiled, b: Compiled): number {
  for (let index = 0; index < Math.max(a.segments.length, b.segments.length); index += 1) {
    const difference = rank(a.segments[index]) - rank(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function split(path: string): string[] {
  const trimmed = path.replace(/^\/+/, '').replace(/\/+$/, '');
  return trimmed === '' ? [] : trimmed.split('/');
}

function match({ resource, segments }: Compiled, path: string[]): RouteMatch | undefined {
  const parameters: Record<string, string> = Object.create(null);
  for (const [index, segment] of segments.entries()) {
    const value = path[index];
    if (value === undefined) return undefined;
    if (rank(segment) === 2) {
      parameters[segment.slice(1, -2)] = path.slice(index).join('/');
      return { resource, pathParameters: parameters };
    }
    if (rank(segment) === 0 ? segment !== value : value === '') return undefined;
    if (rank(segment) === 1) parameters[segment.slice(1, -1)] = value;
  }
  if (path.length !== segments.length) return undefined;
  return { resource, pathParameters: Object.keys(parameters).length > 0 ? parameters : null };
}

/** Serverless makes one preflight of a path from the settings of all its events: unions, and the last `maxAge`. */
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
 * Compiles the routes of all functions into a matcher that chooses as a REST API does: the most specific path wins, segment by segment
 * (static, then `{variable}`, then `{proxy+}`), case counts, a slash at the end does not, and a path variable is never empty.
 * The method plays no part in the choice: a path that lacks it is not rescued by a less specific one.
 */
export function createRouter(functions: LocalFunction[]): (path: string) => RouteMatch | undefined {
  const resources = new Map<string, Resource>();
  for (const lambda of functions) {
    for (const route of lambda.routes) {
      const key = `/${split(route.path).join('/')}`;
      const resource: Resource = resources.get(key) ?? { path: key, methods: new Map() };
      resource.methods.set(route.method.toUpperCase(), lambda);
      if (route.cors) resource.cors = mergeCors(resource.cors, route.cors);
      resources.set(key, resource);
    }
  }
  const compiled = [...resources.values()]
    .map((resource) => ({ resource, segments: split(resource.path) }))
    .sort(bySpecificity);
  return (path) => {
    const segments = split(path);
    for (const candidate of compiled) {
      const found = match(candidate, segments);
      if (found) return found;
    }
    return undefined;
  };
}

/**
 * Finds the resource of a request's path: as it is, or without the stage that begins the URLs of a deployed API, where no route claims the
 * path as it is.
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
