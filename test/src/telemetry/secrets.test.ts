import { describe, expect, it } from 'vitest';
import { type CallerInput, secretsOf } from '../../../src/telemetry/secrets.ts';

describe("what a request's caller sends in confidence", () => {
  it.each<[string, CallerInput, string]>([
    ['the credentials of a scheme', { headers: { Authorization: 'Bearer abc.def' } }, 'abc.def'],
    [
      'a password under its encoding',
      { headers: { authorization: `Basic ${btoa('bob:open sesame')}` } },
      'open sesame',
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
    expect(secretsOf(input)).toContain(secret);
  });

  it.each<[string, CallerInput]>([
    [
      'handles and ids in a path',
      { pathParameters: { id: '@andrewbrown', uuid: '68f126b0-1ceb-4a33-88be-d90fa7109eee' } },
    ],
    ['a handle as a URL writes it', { pathParameters: { id: '%40andrewbrown' } }],
    ['what tells nothing', { headers: { 'User-Agent': 'curl/8.5.0', Host: 'api.example.org' } }],
    ['ids and settings of a query', { queryStringParameters: { limit: '20' } }],
  ])('leaves out %s', (_, input) => {
    expect(secretsOf(input)).toEqual([]);
  });

  it('leaves out the names of fields, however long they are', () => {
    const forms = secretsOf({ body: '{"user_receiver_handle":"bayko","message_group_uuid":""}' });

    expect(forms.filter((form) => !form.includes('bayko'))).toEqual([]);
  });

  it('leaves out an id that a text names', () => {
    const uuid = '68f126b0-1ceb-4a33-88be-d90fa7109eee';

    expect(secretsOf({ body: JSON.stringify({ message: `see ${uuid}` }) })).not.toContain(uuid);
  });
});
