import { afterAll, beforeAll } from 'vitest';
import type { Api } from '../../fixtures/cruddur/api.ts';
import { answers } from './answers.ts';
import { bodies } from './bodies.ts';
import { callerOf } from './caller.ts';
import { messages } from './messages.ts';
import { pages } from './pages.ts';
import { reading } from './reading.ts';
import { retries } from './retries.ts';
import { users } from './users.ts';
import { writing } from './writing.ts';

/**
 * Every route of the contract as its caller sees it, over a table with the seed in it, signed in as
 * andrewbrown.
 */
export function contract(start: () => Promise<Api>): void {
  let api: Api;
  beforeAll(async () => {
    api = await start();
  });
  afterAll(() => api?.stop());

  const caller = callerOf(() => api);
  reading(caller);
  pages(caller);
  writing(caller);
  bodies(caller);
  retries(caller);
  messages(caller);
  users(caller);
  answers(caller);
}
