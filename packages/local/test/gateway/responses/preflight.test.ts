import { describe, expect, it } from 'vitest';
import type { LocalCors } from '../../../src/service/model.ts';
import { gatewayUnderTest, lambdaFunction, localService, send } from '../gateway-under-test.ts';

const cors: LocalCors = {
  origins: ['http://127.0.0.1:4000', 'https://*.example.com'],
  headers: ['content-type', 'traceparent'],
  methods: ['OPTIONS', 'GET'],
  allowCredentials: true,
  maxAgeSeconds: 600,
};

async function preflight(settings: LocalCors, origin?: string) {
  const lambda = lambdaFunction('home', []);
  lambda.routes = [
    { method: 'GET', path: '/home', cors: settings },
    { method: 'ANY', path: '/home' },
  ];
  const gateway = await gatewayUnderTest(localService([lambda]));
  const answer = await send(gateway, 'OPTIONS', '/home', origin ? { Origin: origin } : {});
  expect(gateway.invocations).toEqual([]);
  return answer;
}

describe('a preflight', () => {
  it('is answered by the gateway alone, as Serverless has set it up', async () => {
    const answer = await preflight(cors, 'http://127.0.0.1:4000');
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'http://127.0.0.1:4000',
      'access-control-allow-headers': 'content-type,traceparent',
      'access-control-allow-methods': 'OPTIONS,GET',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    });
  });

  it('names an origin that a pattern of the list covers', async () => {
    const answer = await preflight(cors, 'https://a.example.com');
    expect(answer.headers['access-control-allow-origin']).toBe('https://a.example.com');
  });

  it.each(['https://evil.test', 'https://aXexample.com', 'https://.example.com', undefined])(
    'names the first origin of the list to %s, which a browser then refuses',
    async (origin) => {
      const answer = await preflight(cors, origin);
      expect(answer.headers['access-control-allow-origin']).toBe('http://127.0.0.1:4000');
    },
  );

  it('leaves out what is not set, and spells out ANY', async () => {
    const answer = await preflight(
      { origins: ['*'], headers: [], methods: ['OPTIONS', 'ANY'], allowCredentials: false },
      'http://a',
    );
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-methods']).toBe('OPTIONS,DELETE,GET,HEAD,PATCH,POST,PUT');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    expect(answer.headers['access-control-max-age']).toBeUndefined();
  });

  it('is left to a function that has a route of its own for it', async () => {
    const lambda = lambdaFunction('home', []);
    lambda.routes = [
      { method: 'GET', path: '/home', cors },
      { method: 'OPTIONS', path: '/home' },
    ];
    const gateway = await gatewayUnderTest(localService([lambda]));
    await send(gateway, 'OPTIONS', '/home');
    expect(gateway.invocations).toHaveLength(1);
  });
});
