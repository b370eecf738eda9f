import type { LocalDynamoDb } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, json } from '../fixtures/cruddur/api.ts';
import { type DynamoDbProxy, dynamoDbProxy, type Fate } from '../fixtures/cruddur/dynamodb-proxy.ts';
import { inProcess } from '../fixtures/cruddur/in-process.ts';
import { startTable } from '../fixtures/cruddur/table.ts';
import { expectProblem } from './contract/caller.ts';

const writes = /^(PutItem|UpdateItem|BatchWriteItem)$/;
const loseFirstAnswers: Fate = (operation, attempt) => (writes.test(operation) && attempt === 1 ? 'lose' : 'answer');

describe('the API, when DynamoDB writes and its response is lost', () => {
  let dynamodb: LocalDynamoDb;
  let network: DynamoDbProxy;
  let api: Api;
  let fate: Fate = () => 'answer';
  beforeAll(async () => {
    dynamodb = await startTable();
    network = await dynamoDbProxy(dynamodb.endpoint, (...request) => fate(...request));
    api = await inProcess(network.endpoint);
  });
  afterAll(async () => {
    await network?.stop();
    await dynamodb?.stop();
  });

  const post = (path: string, body: unknown) => api.send('POST', path, { body });
  const get = async <T>(path: string) => json<T>(await api.send('GET', path));
  async function losing<T>(how: Fate, work: () => Promise<T>): Promise<T> {
    fate = how;
    network.forwarded.length = 0;
    return work().finally(() => {
      fate = () => 'answer';
    });
  }

  it('writes one activity for one request', async () => {
    const answer = await losing(loseFirstAnswers, () => post('/api/activities', { message: 'lostonce', ttl: '1-day' }));
    expect(answer.status).toBe(200);
    expect(network.forwarded.filter((operation) => operation === 'PutItem')).toHaveLength(2);
    expect(await get<unknown[]>('/api/activities/search?term=lostonce')).toHaveLength(1);
    expect(await get<unknown[]>('/api/activities/@andrewbrown?limit=100')).toHaveLength(2);
  });

  it('counts one reply for one request, even among many at once', async () => {
    const { uuid } = json<{ uuid: string }>(await post('/api/activities', { message: 'count on me', ttl: '1-day' }));
    const answers = await losing(loseFirstAnswers, () =>
      Promise.all(
        Array.from({ length: 8 }, (_, index) => post(`/api/activities/${uuid}/reply`, { message: `reply ${index}` })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(network.forwarded.filter((operation) => operation === 'UpdateItem')).toHaveLength(16);
    const shown = await get<{ replies_count: number; replies: unknown[] }>(`/api/activities/${uuid}`);
    expect([shown.replies_count, shown.replies.length]).toEqual([8, 8]);
  });

  it('sends one message for one request', async () => {
    const answer = await losing(loseFirstAnswers, () =>
      post('/api/messages', { message: 'just the once', handle: 'londo' }),
    );
    expect(answer.status).toBe(200);
    expect(await get('/api/messages/@londo')).toMatchObject([{ message: 'just the once' }]);
  });

  it('retries only the unprocessed part of a batch', async () => {
    let handedBack = 0;
    const handBackOnce: Fate = (operation, attempt, body) => {
      if (operation !== 'BatchWriteItem' || attempt > 1 || handedBack > 0) return 'answer';
      handedBack++;
      return { status: 200, body: { UnprocessedItems: JSON.parse(body).RequestItems } };
    };
    const answer = await losing(handBackOnce, () =>
      post('/api/activities', { message: 'handedback words', ttl: '1-day' }),
    );
    expect([answer.status, handedBack]).toEqual([200, 1]);
    expect(await get<unknown[]>('/api/activities/search?term=handedback')).toHaveLength(1);
  });

  it('answers 500 if a batch is never processed, rather than a shorter feed', async () => {
    const handBack: Fate = (operation, _, body) =>
      operation === 'BatchWriteItem'
        ? { status: 200, body: { UnprocessedItems: JSON.parse(body).RequestItems } }
        : 'answer';
    const before = await get<unknown[]>('/api/activities/home?limit=100');
    await expectProblem(
      losing(handBack, () => post('/api/activities', { message: 'neverstored', ttl: '1-day' })),
      500,
    );
    expect(await get('/api/activities/home?limit=100')).toEqual(before);
  });

  it('retries after a throttle', async () => {
    const throttled: Fate = (operation, attempt) =>
      operation === 'Query' && attempt === 1
        ? { status: 400, body: { __type: 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException' } }
        : 'answer';
    const answer = await losing(throttled, () => api.send('GET', '/api/activities/home?limit=7'));
    expect(answer.status).toBe(200);
  });
});
