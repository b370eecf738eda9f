import { describe, expect, it } from 'vitest';
import { createRouter, route } from '../../src/gateway/routes.ts';
import { lambdaFunction } from './gateway-under-test.ts';

const router = createRouter([
  lambdaFunction('activity', ['GET /api/activities/{id}']),
  lambdaFunction('status', ['GET /api/activities/{id}/status/{uuid}']),
  lambdaFunction('home', ['GET /api/activities/home']),
  lambdaFunction('files', ['ANY /files/{proxy+}', 'GET /files/{name}/meta']),
  lambdaFunction('root', ['GET /']),
]);
const found = (path: string): [string, Record<string, string> | null] | undefined => {
  const match = router(path);
  return match && [match.resource.path, match.pathParameters && { ...match.pathParameters }];
};

describe('the router', () => {
  it('prefers a static segment to a variable, and a variable to a greedy one', () => {
    expect(found('/api/activities/home')).toEqual(['/api/activities/home', null]);
    expect(found('/api/activities/homes')).toEqual(['/api/activities/{id}', { id: 'homes' }]);
    expect(found('/files/a/meta')).toEqual(['/files/{name}/meta', { name: 'a' }]);
    expect(found('/files/a/meta/b')).toEqual(['/files/{proxy+}', { proxy: 'a/meta/b' }]);
  });

  it('comes back from a static segment that leads nowhere', () => {
    expect(found('/api/activities/home/status/1')).toEqual([
      '/api/activities/{id}/status/{uuid}',
      { id: 'home', uuid: '1' },
    ]);
  });

  it('ignores slashes at the end, and one at the start counts as many', () => {
    expect(found('/api/activities/home/')).toEqual(['/api/activities/home', null]);
    expect(found('//api/activities/home//')).toEqual(['/api/activities/home', null]);
    expect(found('/files/a/b/')).toEqual(['/files/{proxy+}', { proxy: 'a/b' }]);
    expect(found('/')).toEqual(['/', null]);
  });

  it('is case-sensitive', () => {
    expect(found('/API/activities/home')).toBeUndefined();
  });

  it('fills no variable with nothing', () => {
    expect(found('/api/activities//status/1')).toBeUndefined();
    expect(found('/api/activities/')).toBeUndefined();
    expect(found('/files/')).toBeUndefined();
  });

  it('leaves path variables percent-encoded, an encoded slash included', () => {
    expect(found('/api/activities/%40worf')).toEqual(['/api/activities/{id}', { id: '%40worf' }]);
    expect(found('/api/activities/a%2Fb')).toEqual(['/api/activities/{id}', { id: 'a%2Fb' }]);
    expect(found('/api/activities/%')).toEqual(['/api/activities/{id}', { id: '%' }]);
  });

  it('takes variables by the names that objects have already', () => {
    const match = createRouter([lambdaFunction('odd', ['GET /{__proto__}'])])('/x');
    expect(JSON.stringify(match?.pathParameters)).toBe('{"__proto__":"x"}');
  });

  it('unites the CORS settings of all events of a path', () => {
    const cors = {
      origins: ['https://a.example'],
      headers: ['X-A'],
      methods: ['OPTIONS', 'GET'],
      allowCredentials: false,
    };
    const lambda = lambdaFunction('both', []);
    lambda.routes = [
      { method: 'GET', path: '/x', cors: { ...cors, maxAgeSeconds: 60 } },
      {
        method: 'POST',
        path: '/x',
        cors: { ...cors, headers: ['X-B'], methods: ['OPTIONS', 'POST'], allowCredentials: true },
      },
    ];
    expect(createRouter([lambda])('/x')?.resource.cors).toEqual({
      origins: ['https://a.example'],
      headers: ['X-B', 'X-A'],
      methods: ['OPTIONS', 'POST', 'GET'],
      allowCredentials: true,
      maxAgeSeconds: 60,
    });
  });
});

describe('a path that begins with the stage', () => {
  it('is taken without it where no route claims it', () => {
    expect(route(router, 'dev', '/dev/api/activities/home')).toMatchObject({
      path: '/api/activities/home',
      match: { resource: { path: '/api/activities/home' } },
    });
    expect(route(router, 'dev', '/dev')).toMatchObject({ path: '/', match: { resource: { path: '/' } } });
  });

  it('is left to the route that claims it', () => {
    const own = createRouter([lambdaFunction('own', ['GET /dev/{id}']), lambdaFunction('plain', ['GET /{id}'])]);
    expect(route(own, 'dev', '/dev/1')).toMatchObject({ path: '/dev/1', match: { resource: { path: '/dev/{id}' } } });
  });

  it('is not found where it is another word that begins alike', () => {
    expect(route(router, 'dev', '/devil/api/activities/home').match).toBeUndefined();
  });
});
