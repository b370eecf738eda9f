import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gatewayUnderTest, lambdaFunction, localService } from './gateway-under-test.ts';

const service = (openapi?: string) => {
  const plain = localService([lambdaFunction('home', ['GET /home'])]);
  const directory = path.resolve(import.meta.dirname, '../..');
  return { ...plain, directory, settings: { ...plain.settings, ...(openapi ? { openapi } : {}) } };
};

describe('GET /openapi.json', () => {
  it('answers the file that custom.local.openapi names, without a trace or an invocation', async () => {
    const { url, invocations, segments } = await gatewayUnderTest(service('package.json'));
    const answer = await fetch(`${url}/openapi.json`);

    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toMatchObject({ name: 'serverless-throughline' });
    expect([invocations, segments]).toEqual([[], []]);
  });

  it('says which file cannot be read', async () => {
    const { url } = await gatewayUnderTest(service('missing.json'));
    const answer = await fetch(`${url}/openapi.json`);

    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ message: 'custom.local.openapi: missing.json cannot be read.' });
  });

  it('is a path like any other without the setting', async () => {
    const { url } = await gatewayUnderTest(service());
    expect((await fetch(`${url}/openapi.json`)).status).toBe(403);
  });
});
