import { describe, expect, it } from 'vitest';
import { firstSteps } from '../../src/cloud/first-steps.ts';
import { readService } from '../../src/service/read.ts';
import { serverlessInstance } from '../gateway/service-under-test.ts';

function stepsOf(...events: object[]): string {
  const functions = { a: { handler: 'a.handler', events: events as { http?: string }[] } };
  return firstSteps(readService(serverlessInstance({ functions })).service, 'http://x');
}

describe('the first steps', () => {
  it('begin with a route that needs neither a key nor a token', () => {
    const guarded = { http: { method: 'get', path: 'closed', authorizer: 'aws_iam' } };
    expect(stepsOf(guarded, { http: 'GET /items/{id}' }, { http: 'GET /open' })).toContain('curl http://x/open ');
    expect(stepsOf(guarded)).toContain('curl http://x/closed ');
  });

  it('name a method that is not GET', () => {
    expect(stepsOf({ http: 'POST /items' })).toContain('curl -X POST http://x/items ');
  });

  it('know the routes of HTTP APIs', () => {
    expect(stepsOf({ httpApi: 'GET /items' })).toContain('curl http://x/items ');
    expect(stepsOf({ httpApi: '*' })).toContain('curl http://x/ ');
  });

  it('name the URL of each function', () => {
    const functions = { a: { handler: 'a.handler', url: true } };
    const steps = firstSteps(readService(serverlessInstance({ functions })).service, 'http://x');
    expect(steps).toContain('a: http://x/lambda-url/a/');
  });

  it('say that there is nothing to request', () => {
    expect(stepsOf()).toBe('This service has no HTTP events.');
  });
});
