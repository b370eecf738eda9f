import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configureTelemetry } from '../../src/config.ts';
import { isSecretKey } from '../../src/redaction/patterns.ts';
import { redactText } from '../../src/redaction/redact.ts';
import { type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

describe('redaction', () => {
  it.each([
    'authorization',
    'Cookie',
    'set-cookie',
    'x-api-key',
    'X-Amz-Security-Token',
    'access_token',
    'accessToken',
    'clientSecret',
    'password',
    'user_email',
  ])('takes the key %s for a secret', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(['handle', 'user_id', 'route', 'messages_count', 'table_name', 'duration_ms'])(
    'does not treat the key %s as secret',
    (key) => {
      expect(isSecretKey(key)).toBe(false);
    },
  );

  it.each([
    ['a JSON Web Token', 'got eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl here', 'eyJ'],
    ['a bearer token', 'header was Bearer abcd1234.efgh', 'abcd1234'],
    ['an e-mail', 'mail to andrew.brown+test@exam.pro.co please', 'exam.pro'],
    ['an access key id', 'key AKIAIOSFODNN7EXAMPLE', 'AKIA'],
    ['a presigned URL', 'https://b.s3.amazonaws.com/k?X-Amz-Signature=0123abcd&x=1', '0123abcd'],
    ['an e-mail with a long name', `mail to andrew.${'x'.repeat(80)}@exam.pro please`, 'andrew.x'],
    ['a presigned URL in a URL', '/cb?next=https%3A%2F%2Fb%2Fk%3FX-Amz-Signature%3D0123abcd', '0123abcd'],
    ['a code that is exchanged for a token', 'https://a.example/cb?code=4/0AX4&state=1', '0AX4'],
    ['a private key', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----', 'MHcC'],
    ['a private key that was cut off', 'read -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG', 'MIIE'],
    ['a token in a query', '/cb?token=abc123&next=1', 'abc123'],
    ['what V8 quotes of a body that is no JSON', 'Unexpected token \'p\', "pass1234" is not valid JSON', 'pass1234'],
    ['who logs in at a URL', 'no answer from postgres://app:hunter2@db:5432/main', 'hunter2'],
    ['who logs in at a URL', 'fetch https://user:hunter2@127.0.0.1/ failed', 'hunter2'],
    ['a password in JSON', 'answered {"db_password":"hunter \\"2\\" end","next":1}', 'end'],
    ['a password in JSON within JSON', JSON.stringify(JSON.stringify({ clientSecret: 'hunter "2" end' })), 'end'],
    ['a password of an object that Node shows', "{ user: 'a', apiKey: 'hunter2' }", 'hunter2'],
    ['a key that says whose it is', 'pushed with ghp_0123456789abcdefghij to main', '0123456789'],
  ])('takes out %s', (_, text, secret) => {
    expect(redactText(text)).not.toContain(secret);
  });

  it.each([
    'bearer token missing',
    'Basic validation failed.',
    'connect failed: code=ECONNREFUSED',
    'the group 68f126b0-1ceb-4a33-88be-d90fa7109eee is not one of @andrewbrown',
    'GET /api/activities/{id} 404 in 12.5 ms, trace 1-6b0315c3-6aec9842451247d328da8d31',
    'ConditionalCheckFailedException: The conditional request failed',
  ])('leaves "%s" as it is', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('also takes out what a service has named with configureTelemetry', () => {
    configureTelemetry({ secretFields: ['notes', /^diagnos[ei]s$/], patterns: [[/\b(CASE#)\w+/g, '$1[redacted]']] });

    expect(['No-tes', 'diagnoses', 'footnotes'].map(isSecretKey)).toEqual([true, true, false]);
    expect(redactText('no item CASE#4711')).toBe('no item CASE#[redacted]');
    configureTelemetry({ secretFields: [], patterns: [] });
  });

  it('shows what follows a private key', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n';

    expect(redactText(`${key}is not the key of ${key}after all`)).toMatch(/is not the key of[\s\S]*after all$/);
  });

  it('takes no longer for a long text that nearly matches: its time grows with the length', () => {
    for (const part of [
      'a.',
      'token',
      'token"',
      'token:"\\',
      'token\\',
      'a+',
      '//a:',
      'sk_live_',
      '-----BEGIN PRIVATE KEY-----',
    ]) {
      const work = (length: number): number => {
        const text = part.repeat(length);
        const started = process.cpuUsage();
        redactText(`${text}@`);
        return process.cpuUsage(started).user;
      };
      work(1_000);

      expect(work(64_000)).toBeLessThan(Math.max(work(8_000), 2_000) * 60);
    }
  });
});

describe('a secret that a caller sends', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({ layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
  });
  afterAll(() => harness.stop());

  it('is in no byte of logs, metrics, subsegments, spans and reports, wherever it was planted and whatever quotes it', async () => {
    const secret = fc
      .tuple(
        fc.string({ minLength: 10, maxLength: 40, unit: fc.constantFrom(...'abcdefgh 0123456789"\\{}&=;é€😀') }),
        // Letters that stand together nowhere else: eight zeros, say, are in every time in
        // nanoseconds.
        fc.string({ minLength: 8, maxLength: 8, unit: fc.constantFrom(...'qzxjkvwy') }),
      )
      .map(([text, unique]) => `${unique}${text.trim()}${unique}`);
    const place = fc.constantFrom(
      'authorization',
      'cookie',
      'x-api-key',
      'x-custom',
      'referer',
      'tracestate',
      'user-agent',
      'path',
      'query',
      'query-name',
      'body',
      'form',
      'nested',
      'uuid',
      'escaped',
      'text',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(place, secret), { minLength: 1, maxLength: 4 }), async (planted) => {
        const request = plant(planted);
        const spans = harness.otlp.deliveries.length;
        const items = harness.rollbar.deliveries.length;
        const invocation = await harness.invoke(request);
        // Whatever is sent has been sent then: what came later would be looked at with the next
        // request's secrets.
        await harness.idle(invocation);
        await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
        const reports = harness.rollbar.deliveries.slice(items).map(({ body }) => body.toString('utf8'));
        expect(reports.filter((report) => report.includes(invocation.traceId))).toHaveLength(3);
        // The runtime itself writes what a handler throws; this handler answers.
        const output = [
          ...harness.lines.splice(0).map(({ message }) => message),
          ...harness.subsegments
            .filter(({ trace_id }) => trace_id === invocation.root)
            .map((segment) => JSON.stringify(segment)),
          ...harness.otlp.deliveries.slice(spans).map(({ body }) => body.toString('utf8')),
          ...reports,
        ].join('\n');

        // It begins and ends with this; what is between has as many forms as there are ways to
        // escape it.
        for (const [, value] of planted) expect(output).not.toContain(value.slice(0, 8));
      }),
      {
        numRuns: 40,
        // As JSON within JSON it is longer than 64 characters, and begins as it does in JSON: that
        // form took out the beginning alone.
        examples: [[[['cookie', 'jzqyqkxx{e 6ehehc{aé😀&=;gg =c€a"\\3jzqyqkxx']]]],
      },
    );
  });
});

describe("a card's number", () => {
  it('is taken out where it is a number, and other numbers stay', async () => {
    const harness = await startLambdaHarness({ environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
    const body = '{"card":4929123412341234,"amounts":[17,12.5]}';
    const invocation = await harness.invoke({ path: '/quote', method: 'POST', body });
    await harness.rollbar.received(1);
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
    const output = [
      ...harness.lines.map(({ message }) => message),
      ...harness.subsegments.map((segment) => JSON.stringify(segment)),
      ...harness.rollbar.deliveries.map(({ body }) => body.toString('utf8')),
    ].join('\n');

    expect(output).not.toContain('4929123412341234');
    expect(harness.json(invocation).find(({ message }) => message === 'read')).toMatchObject({
      read: { card: '[redacted]', amounts: [17, 12.5] },
    });
    await harness.stop();
  });
});

describe("a caller's own handle", () => {
  it('names the caller also where it was sent as a text', async () => {
    const harness = await startLambdaHarness({ environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
    const headers = { 'x-name': 'andrewbrown' };
    const invocation = await harness.invoke({ path: '/known-fault', headers });
    const [item] = await harness.rollbar.received(1);
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));

    expect(harness.json(invocation).find((line) => 'event' in line)).toMatchObject({ event: { user: 'andrewbrown' } });
    expect(item?.body.toString('utf8')).toContain('"username":"andrewbrown"');
    expect(harness.subsegments.find(({ name }) => name?.startsWith('##'))).toMatchObject({
      annotations: { app_user_id: 'andrewbrown' },
    });
    await harness.stop();
  });
});

describe('a secret of the function itself', () => {
  it('is taken out where a back end quotes it, which shows no key before it', async () => {
    const session = 'IQoJb3JpZ2luX2VjE//////////wEaCXVzLWVhc3QtMSJ';
    const harness = await startLambdaHarness({
      environment: {
        ROLLBAR_ACCESS_TOKEN: 'rollbar0123456789',
        AWS_SESSION_TOKEN: session,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=honeycomb0123456789',
      },
    });
    const invocation = await harness.invoke({ path: '/refused', method: 'POST' });
    await harness.rollbar.received(1);
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
    const output = [
      ...harness.lines.map(({ message }) => message),
      ...harness.subsegments.map((segment) => JSON.stringify(segment)),
      ...harness.rollbar.deliveries.map(({ body }) => body.toString('utf8')),
    ].join('\n');

    expect(output).toContain('x-amz-security-token:[redacted]');
    for (const secret of [session, 'rollbar0123456789', 'honeycomb0123456789']) expect(output).not.toContain(secret);
    await harness.stop();
  });
});

describe('a long secret', () => {
  it('is taken out where a text quotes it up to where the text was cut', async () => {
    const harness = await startLambdaHarness({ layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
    const words = Array.from({ length: 4_000 }, (_, index) => `word${index * 7919}`).join(' ');
    const invocation = await harness.invoke(
      plant([
        ['body', words],
        ['nested', `"${words}"`],
      ]),
    );
    await Promise.all([harness.otlp.received(1), harness.rollbar.received(2)]);
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
    const output = [
      ...harness.lines.map(({ message }) => message),
      ...harness.subsegments.map((segment) => JSON.stringify(segment)),
      ...[...harness.otlp.deliveries, ...harness.rollbar.deliveries].map(({ body }) => body.toString('utf8')),
    ].join('\n');

    expect(output).not.toMatch(/word\d+/);
    await harness.stop();
  });
});

interface Planted {
  path: string;
  resource: string;
  method: string;
  headers: Record<string, string>;
  query: Record<string, string>;
  pathParameters: Record<string, string>;
  body: string;
}

function plant(planted: [string, string][]): Planted {
  const headers: Record<string, string> = {};
  const query: Record<string, string> = {};
  const pathParameters: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  let text: string | undefined;
  let escaped: string | undefined;
  for (const [place, value] of planted) {
    if (place === 'authorization') headers.Authorization = `Bearer ${value}`;
    else if (place === 'cookie') headers.Cookie = `session=${value}; theme=dark`;
    else if (place === 'x-api-key' || place === 'x-custom') headers[place] = value;
    else if (place === 'referer') headers.Referer = `https://a.example/?q=${value}`;
    else if (place === 'tracestate') headers[place] = `vendor=${value}`;
    // Open anywhere else: a token by its length and its digits.
    else if (place === 'user-agent') headers['User-Agent'] = `curl/8.5.0 (${value.slice(0, 8)}-0123456789)`;
    else if (place === 'query-name') query[`${value.slice(0, 8)}-0123456789`] = '';
    else if (place === 'path') pathParameters.id = encodeURIComponent(value);
    else if (place === 'form') text = new URLSearchParams({ text: value }).toString();
    else if (place === 'query') query.term = value;
    else if (place === 'body') body.message = value;
    else if (place === 'uuid') body.message_group_uuid = value;
    else if (place === 'nested') body.profile = { lines: ['first', value] };
    else if (place === 'escaped') escaped = asciiJson({ bio: value });
    else text = value;
  }
  const path = pathParameters.id ? `/${pathParameters.id}/quote` : '/quote';
  const resource = pathParameters.id ? '/{id}/quote' : '/quote';
  return {
    path,
    resource,
    method: 'POST',
    headers,
    query,
    pathParameters,
    body: text ?? escaped ?? JSON.stringify(body),
  };
}

/**
 * JSON as some clients write it: with an escape for every character except letters, digits and
 * space.
 */
function asciiJson(value: Record<string, string>): string {
  return JSON.stringify(value).replace(
    /\\.|[^A-Za-z0-9 {}":]/g,
    (text) => `\\u${(JSON.parse(`"${text}"`) as string).charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
