import { describe, expect, it } from 'vitest';
import { gatewayUnderTest, lambdaFunction, localService, returns, send } from './gateway-under-test.ts';

const service = localService([lambdaFunction('home', ['GET /home', 'POST /home'])]);

describe('the gateway', () => {
  it('answers a request by the function of its route', async () => {
    const gateway = await gatewayUnderTest(service, () => returns({ statusCode: 201, body: 'made' }));
    const answer = await send(gateway, 'GET', '/home');
    expect([answer.status, answer.text]).toEqual([201, 'made']);
    expect(gateway.invocations.map(({ functionKey }) => functionKey)).toEqual(['home']);
  });
});
