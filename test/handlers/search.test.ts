import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('search');

it('finds the activity that contains both words', async () => {
  expect(await invoke('ok')).toMatchObject({ status: 200, body: [{ message: 'I am out of prune juice' }] });
});

it('requires a term', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['search_term_blank'] });
});
