import { describe, expect, it } from 'vitest';
import { foreignReason, isLoopbackRequest } from '../../src/http/loopback.ts';

describe('a server for this machine alone', () => {
  it.each(['127.0.0.1:3000', 'localhost:3000', 'LOCALHOST', '[::1]:3000', '127.0.0.1'])('serves Host %s', (host) => {
    expect(isLoopbackRequest({ headers: { host } })).toBe(true);
    expect(isLoopbackRequest({ headers: new Headers({ host }) })).toBe(true);
  });

  it.each(['evil.example:3000', '127.0.0.1.evil.example', 'localhost.evil.example', '10.0.0.1', '', 'localhost:x'])(
    'refuses Host "%s", as DNS rebinding sends it',
    (host) => {
      expect(foreignReason({ headers: { host } })).toMatch(/Host header/);
    },
  );

  it('refuses a request without a Host header', () => {
    expect(isLoopbackRequest({ headers: {} })).toBe(false);
  });

  it('refuses web pages, but those of the origins it is given', () => {
    const page = (origin: string) => ({ headers: { host: 'localhost:4000', origin } });
    expect(isLoopbackRequest(page('http://evil.example'))).toBe(false);
    expect(isLoopbackRequest(page('null'))).toBe(false);
    expect(isLoopbackRequest(page('http://localhost:4000'), { origins: ['http://localhost:4000'] })).toBe(true);
    expect(isLoopbackRequest(page('http://localhost:4001'), { origins: ['http://localhost:4000'] })).toBe(false);
    expect(isLoopbackRequest(page('http://evil.example'), { origins: 'any' })).toBe(true);
  });

  it('serves a container under the name that it is given', () => {
    const headers = { host: 'host.docker.internal:2000' };
    expect(isLoopbackRequest({ headers })).toBe(false);
    expect(isLoopbackRequest({ headers }, { hosts: ['host.docker.internal'] })).toBe(true);
  });
});
