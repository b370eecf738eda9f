import { describe, expect, it } from 'vitest';
import { redactPath } from '../../src/format/redact-path.ts';

describe("a request's path in the terminal", () => {
  it.each([
    ['/users/someone@example.com/feed', '/users/[redacted]/feed'],
    ['/users/someone%40example.com', '/users/[redacted]'],
    ['/reset/eyJhbGciOi.eyJzdWIi.abc-_def', '/reset/[redacted]'],
    ['/hook/sk_live_abcdefgh12', '/hook/[redacted]'],
    ['/a;token=abc/b', '/a;token=[redacted]/b'],
    ['/key/d41d8cd98f00b204e9800998ecf8427e', '/key/[redacted]'],
  ])('shows %s as %s', (path, shown) => {
    expect(redactPath(path)).toBe(shown);
  });

  it.each(['/api/activities/home', '/api/messages/3f2a1b6c-8f0e-4d6b-9c55-0a1b2c3d4e5f', '/api/activities/@someone'])(
    'leaves %s as it is',
    (path) => {
      expect(redactPath(path)).toBe(path);
    },
  );
});
