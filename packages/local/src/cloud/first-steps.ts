import { httpAddresses } from '../service/apis/http-addresses.ts';
import type { LocalService } from '../service/model.ts';

/**
 * @returns what somebody who sees a service run for the first time can do next: where its functions
 * are, and a request to try.
 */
export function firstSteps(service: LocalService, api: string): string {
  const urls = service.functions
    .filter(({ url }) => url)
    .map(({ key }) => `       ${key}: ${api}/lambda-url/${key}/\n`);
  const all = httpAddresses(service);
  const simple = all.filter(({ method, path }) => (method === 'GET' || method === 'ANY') && !path.includes('{'));
  const address = simple.find(({ open }) => open) ?? simple[0] ?? all[0];
  if (!address) return 'This service has no HTTP events.';
  const method = address.method === 'GET' || address.method === 'ANY' ? '' : `-X ${address.method} `;
  return `${urls.join('')}       try: curl ${method}${api}${address.path}   then: npx throughline trace --last   (Ctrl-C ends)`;
}
