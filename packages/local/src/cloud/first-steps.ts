import type { LocalService } from '../service/model.ts';

interface Address {
  method: string;
  path: string;
  /** Asks for nothing: no key, no token, no parameter. */
  open: boolean;
}

function addresses({ functions }: LocalService): Address[] {
  return functions.flatMap(({ key, routes, httpApiRoutes = [], url }) => [
    ...routes.map(({ method, path, authorizer, apiKeyRequired, validation }) => ({
      method,
      path,
      open: !authorizer && !apiKeyRequired && !validation,
    })),
    ...httpApiRoutes.map(({ method, path, authorizer }) => ({
      method,
      path: path === '$default' ? '/' : path,
      open: !authorizer,
    })),
    ...(url ? [{ method: 'GET', path: `/lambda-url/${key}/`, open: !url.authorizer }] : []),
  ]);
}

/**
 * @returns what somebody who sees a service run for the first time can do next: where its functions
 * are, and a request to try.
 */
export function firstSteps(service: LocalService, api: string): string {
  const urls = service.functions
    .filter(({ url }) => url)
    .map(({ key }) => `       ${key}: ${api}/lambda-url/${key}/\n`);
  const all = addresses(service);
  const simple = all.filter(({ method, path }) => (method === 'GET' || method === 'ANY') && !path.includes('{'));
  const address = simple.find(({ open }) => open) ?? simple[0] ?? all[0];
  if (!address) return 'This service has no HTTP events.';
  const method = address.method === 'GET' || address.method === 'ANY' ? '' : `-X ${address.method} `;
  return `${urls.join('')}       try: curl ${method}${api}${address.path}   then: npx throughline trace --last   (Ctrl-C ends)`;
}
