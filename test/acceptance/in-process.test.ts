import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../fixtures/cruddur/api.ts';
import { inProcess } from '../fixtures/cruddur/in-process.ts';
import { startTable } from '../fixtures/cruddur/table.ts';
import { expectProblem } from './contract/caller.ts';
import { contract } from './contract/index.ts';
import { storage } from './storage.ts';

const dynamodb = startTable();
const api = dynamodb.then(async ({ endpoint }) => ({ ...(await inProcess(endpoint)), endpoint }));

describe('the handlers in this process, on the embedded DynamoDB', () => {
  afterAll(async () => (await dynamodb).stop());

  contract(() => api);
  storage(() => api);
});

describe('the handlers without a database', () => {
  let reached: Api;
  beforeAll(async () => {
    reached = await api;
  });
  it('answer 500 without the cause, and health still answers', async () => {
    const answer = await reached.send('GET', '/api/activities/home');
    await expectProblem(answer, 500);
    expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|dynamo/i);
    expect((await reached.send('GET', '/api/health-check')).status).toBe(200);
  });
});
