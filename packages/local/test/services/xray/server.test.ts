import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, request, runXray } from './fixture.ts';

let xray: Running;

beforeAll(async () => {
  xray = await runXray();
});

afterAll(() => xray.stop());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${xray.endpoint}${path}`, { method: 'POST', body, headers });

/** By Node's own client, which sends the Host and Origin that it is told. */
async function statusOf(headers: Record<string, string>): Promise<number | undefined> {
  const sent = httpRequest(`${xray.endpoint}/GetSamplingRules`, { method: 'POST', headers });
  sent.end('{}');
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

describe("the daemon's proxy", () => {
  it('answers GetSamplingRules to an unsigned request, as SDKs send it to the daemon', async () => {
    const answer = await post('/GetSamplingRules', '{}');
    expect(answer.status).toBe(200);
    const { SamplingRuleRecords: records } = (await answer.json()) as { SamplingRuleRecords: { ModifiedAt: number }[] };
    expect(records).toHaveLength(2);
    expect(typeof records[0]?.ModifiedAt).toBe('number');
  });

  it('serves the rules and targets that the central sampler of aws-xray-sdk-core asks for', async () => {
    const require = createRequire(import.meta.url);
    const root = require.resolve('aws-xray-sdk-core').replace(/dist\/lib\/.*$|dist\/.*$/, '');
    const connector = require(`${root}dist/lib/middleware/sampling/service_connector.js`);
    const daemon = require(`${root}dist/lib/daemon_config.js`);
    daemon.setDaemonAddress(`127.0.0.1:${xray.server.port}`);
    type Rule = { getName(): string; snapshotStatistics(): unknown };
    const rules = await new Promise<Rule[]>((resolve, reject) => {
      connector.fetchSamplingRules((error: Error | null, found: Rule[]) => (error ? reject(error) : resolve(found)));
    });
    expect(rules.map((rule) => rule.getName())).toEqual(['cruddur', 'Default']);
    const targets = await new Promise<Record<string, { rate: number; quota: number }>>((resolve, reject) => {
      connector.fetchTargets(rules, (error: Error | null, found: Record<string, { rate: number; quota: number }>) =>
        error ? reject(error) : resolve(found),
      );
    });
    expect(targets).toMatchObject({ cruddur: { rate: 0.1, quota: 5 }, Default: { rate: 0.05, quota: 1 } });
  });

  it.each([
    ['/Nowhere', '{}', 404, 'UnknownOperationException'],
    ['/../../etc/passwd', '{}', 404, 'UnknownOperationException'],
    ['/__proto__', '{}', 404, 'UnknownOperationException'],
    ['/TraceSummaries', '{', 400, 'SerializationException'],
    ['/TraceSummaries', '[]', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{}', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{"StartTime":"x","EndTime":1}', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{"StartTime":1e18,"EndTime":1e18}', 400, 'InvalidRequestException'],
    ['/ServiceGraph', '{"StartTime":0,"EndTime":1e18}', 400, 'InvalidRequestException'],
    ['/TraceSummaries', '{"StartTime":1,"EndTime":2,"FilterExpression":5}', 400, 'InvalidRequestException'],
    ['/TraceSegments', '{"TraceSegmentDocuments":[5]}', 400, 'InvalidRequestException'],
    ['/Traces', '{"TraceIds":"one"}', 400, 'InvalidRequestException'],
    ['/SamplingTargets', '{"SamplingStatisticsDocuments":[null]}', 400, 'InvalidRequestException'],
    ['/SamplingTargets', '{}', 400, 'InvalidRequestException'],
  ])("answers %s with %s: %i, in AWS's error form", async (path, body, status, type) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('x-amzn-errortype')).toBe(type);
    expect(await answer.json()).toMatchObject({ __type: type, Message: expect.any(String) });
  });

  it('answers 413 to a body over 8 MB, said in its header or found out on the way', async () => {
    const chunk = Buffer.alloc(1 << 20, 0x20);
    const whole = await post('/TraceSegments', Buffer.alloc(9 << 20, 0x20).toString()).then(
      ({ status }) => status,
      // The server may hang up while the client still sends, which is as clear.
      () => 413,
    );
    expect(whole).toBe(413);
    const sent = httpRequest(`${xray.endpoint}/TraceSegments`, { method: 'POST' });
    sent.on('error', () => {});
    const answered = once(sent, 'response');
    for (let megabyte = 0; megabyte < 9; megabyte++) sent.write(chunk);
    sent.end();
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    response.resume();
  });

  it('refuses another Host, as DNS rebinding brings it, and pages of any origin', async () => {
    const host = `127.0.0.1:${xray.server.port}`;
    expect(await statusOf({ host })).toBe(200);
    expect(await statusOf({ host: 'evil.example' })).toBe(403);
    expect(await statusOf({ host, origin: 'http://evil.example' })).toBe(403);
    expect(await statusOf({ host: 'host.docker.internal:2000' })).toBe(200);
  });

  it('has no operation for GET', async () => {
    expect((await fetch(`${xray.endpoint}/GetSamplingRules`)).status).toBe(404);
  });

  it('answers as many documents as the daemon sends at once', async () => {
    const documents = Array.from({ length: 50 }, (_, number) => JSON.stringify(request(number)[0]));
    const answer = await post('/TraceSegments', JSON.stringify({ TraceSegmentDocuments: documents }));
    expect(await answer.json()).toEqual({ UnprocessedTraceSegments: [] });
    expect(await xray.store.traces()).toHaveLength(50);
  });
});
