import type { LocalService } from '../model.ts';

/** A method and path under which the local API answers. */
export interface HttpAddress {
  functionKey: string;
  /** Upper case, or `ANY`. */
  method: string;
  /** With `{parameters}` in place; begins with a slash. */
  path: string;
  /** Needs no key, no token and no parameter. */
  open: boolean;
}

/** @returns the addresses of a service's REST API, HTTP API and function URLs, in that order per function. */
export function httpAddresses({ functions }: LocalService): HttpAddress[] {
  return functions.flatMap(({ key, routes, httpApiRoutes = [], url }) => [
    ...routes.map(({ method, path, authorizer, apiKeyRequired, validation }) => ({
      functionKey: key,
      method,
      path,
      open: !authorizer && !apiKeyRequired && !validation,
    })),
    ...httpApiRoutes.map(({ method, path, authorizer }) => ({
      functionKey: key,
      method,
      path: path === '$default' ? '/' : path,
      open: !authorizer,
    })),
    ...(url ? [{ functionKey: key, method: 'GET', path: `/lambda-url/${key}/`, open: !url.authorizer }] : []),
  ]);
}
