import { describe, it } from 'vitest';
import { type Api, encode } from '../fixtures/cruddur/api.ts';
import { contract } from './contract/index.ts';

/**
 * Set by `npm run rehearse`: the URL of a deployed stage, a token for andrewbrown there, and an
 * allowed origin.
 */
const { DEPLOYED_URL, DEPLOYED_TOKEN, DEPLOYED_ORIGIN } = process.env;

async function deployed(): Promise<Api> {
  const base = new URL(DEPLOYED_URL ?? '');
  const stagePath = `/${base.pathname.split('/').at(-1)}`;
  return {
    ...(DEPLOYED_ORIGIN ? { origin: DEPLOYED_ORIGIN } : {}),
    async send(method, path, options = {}) {
      const { headers, body } = encode(options);
      // A Link header begins with the stage, which the base has already.
      const target = path.startsWith(`${stagePath}/`) ? path.slice(stagePath.length) : path;
      const answer = await fetch(base.href + target, {
        method,
        headers: { authorization: `Bearer ${DEPLOYED_TOKEN}`, ...headers },
        body,
      });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
    },
    stop: async () => {},
  };
}

describe('the deployed API', () => {
  if (DEPLOYED_URL) contract(deployed);
  else it.skip('is not deployed here: npm run rehearse deploys it to an emulator', () => {});
});
