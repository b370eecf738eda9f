import { describe, expect, it } from 'vitest';
import { configureTelemetry } from '../../src/config.ts';
import type { CallerInput } from '../../src/context/http-event.ts';
import { encodingsOf } from '../../src/redaction/encodings.ts';
import { requestSecrets } from '../../src/redaction/request-secrets.ts';

describe("what a request's caller sends in confidence", () => {
  it.each<[string, CallerInput, string]>([
    ['the credentials of a scheme', { headers: { Authorization: 'Bearer abc.def' } }, 'abc.def'],
    [
      'a password under its encoding',
      { headers: { authorization: `Basic ${btoa('bob:open sesame')}` } },
      'open sesame',
    ],
    [
      'a quoted parameter of a scheme',
      { headers: { authorization: 'Digest username="bob", response="abcdef"' } },
      'abcdef',
    ],
    ['a quoted value of a cookie', { headers: { cookie: 'a="abcdef"; b=c' } }, 'abcdef'],
    ['a cookie without its encoding', { headers: { cookie: 'sid=s%3Aabcdef' } }, 's:abcdef'],
    [
      'a token in a header that is open',
      { headers: { 'User-Agent': 'curl/8 (sk9f8a7b6c5d4e3f2a)' } },
      'sk9f8a7b6c5d4e3f2a',
    ],
    ['what other vendors keep of a trace', { headers: { tracestate: 'vendor=abcdef' } }, 'abcdef'],
    ['a token for a name', { queryStringParameters: { sk9f8a7b6c5d4e3f2a: '' } }, 'sk9f8a7b6c5d4e3f2a'],
    ['a token in a path', { pathParameters: { id: 'sk9f8a7b6c5d4e3f2a' } }, 'sk9f8a7b6c5d4e3f2a'],
    [
      'what a path writes as no browser does',
      { pathParameters: { id: '%61lice%2540example.org' } },
      'alice@example.org',
    ],
    [
      'the same as a URL within a URL writes it',
      { pathParameters: { id: 'alice@example.org' } },
      'alice%2540example.org',
    ],
    ["a form's value without its encoding", { body: 'a=b&text=open+sesame%21' }, 'open sesame!'],
    ['a backslash as Node shows it', { body: '{"text":"a\\\\b \\"c\\""}' }, 'a\\\\b "c"'],
    ['a text 100 levels deep', { body: `${'['.repeat(100)}"abcdef"${']'.repeat(100)}` }, 'abcdef'],
    [
      'a presigned URL whole',
      { body: '{"url":"https://b/k?X-Amz-Credential=abc"}' },
      'https://b/k?X-Amz-Credential=abc',
    ],
    ['a value of a cookie', { multiValueHeaders: { Cookie: ['theme=dark; sid=abcdef'] } }, 'abcdef'],
    ['what stands in a path for a name', { pathParameters: { id: 'alice@example.org' } }, 'alice@example.org'],
    ['the same as a URL writes it', { pathParameters: { id: 'alice@example.org' } }, 'alice%40example.org'],
    ['a text of the body', { body: '{"message":"hello world"}' }, 'hello world'],
    [
      'a token in a text, whose escapes nobody knows',
      { body: '{"message":"it\'s \\"sk9f8a7b6c5d4e3f2a\\""}' },
      'sk9f8a7b6c5d4e3f2a',
    ],
    ['a token in a query value', { queryStringParameters: { next: '/cb?t=sk9f8a7b6c5d4e3f2a' } }, 'sk9f8a7b6c5d4e3f2a'],
  ])('includes %s', (_, input, secret) => {
    expect(encodingsOf(requestSecrets(input))).toContain(secret);
  });

  it.each<[string, CallerInput]>([
    [
      'handles and ids in a path',
      { pathParameters: { id: '@andrewbrown', uuid: '68f126b0-1ceb-4a33-88be-d90fa7109eee' } },
    ],
    ['a handle as a URL writes it', { pathParameters: { id: '%40andrewbrown' } }],
    [
      'what names a trace',
      {
        headers: {
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          'X-Amzn-Trace-Id':
            'Self=1-67891234-12456789abcdef012345678a;Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad',
          'X-Request-Id': '68f126b0-1ceb-4a33-88be-d90fa7109eee',
        },
      },
    ],
    [
      'what browsers and forms are called',
      {
        headers: {
          'User-Agent':
            'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
          'Content-Type': 'application/x-www-form-urlencoded',
        },
      },
    ],
    ['what tells nothing', { headers: { 'User-Agent': 'curl/8.5.0', Host: 'api.example.org' } }],
    ['ids and settings of a query', { queryStringParameters: { limit: '20' } }],
  ])('leaves out %s', (_, input) => {
    expect(requestSecrets(input)).toEqual([]);
  });

  it('leaves out what a service calls open, and only values of its form', () => {
    configureTelemetry({ openFields: [[/^color$/, /^[a-z]{3,12}$/]] });

    expect(requestSecrets({ queryStringParameters: { color: 'vermilion' } })).toEqual([]);
    expect(requestSecrets({ queryStringParameters: { color: 'not a color' } })).toEqual(['not a color']);
    configureTelemetry({ openFields: [] });
  });

  it('leaves out the names of fields, however long they are', () => {
    const forms = encodingsOf(
      requestSecrets({ body: '{"user_receiver_name":"bayko the first","message_group_uuid":""}' }),
    );

    expect(forms.filter((form) => !form.includes('bayko'))).toEqual([]);
  });

  it('lists no marker by which a presigned URL is found', () => {
    expect(requestSecrets({ body: '{"url":"https://b/k?X-Amz-Credential=abc"}' })).not.toContain('X-Amz-Credential');
  });

  it('leaves out an id that a text names', () => {
    const uuid = '68f126b0-1ceb-4a33-88be-d90fa7109eee';

    expect(requestSecrets({ body: JSON.stringify({ message: `see ${uuid}` }) })).not.toContain(uuid);
  });
});
