import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGateway, type RequestLine, type RunningGateway } from '../../src/gateway/index.ts';
import { createLambdaPlatform } from '../../src/lambda/index.ts';
import type { LambdaPlatform } from '../../src/lambda/invocation/types.ts';
import { LocalFailure } from '../../src/local-failure.ts';
import type { SegmentDocument } from '../../src/trace/records.ts';
import { lambdaFunction, localService, send } from './gateway-under-test.ts';

const source = `
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify({ id: event.pathParameters.id, trace: process.env._X_AMZN_TRACE_ID, header: event.headers['X-Amzn-Trace-Id'] }) });
exports.fail = async () => { throw new Error('no'); };
exports.crash = async () => { process.exit(1); };
exports.sleep = () => new Promise((resolve) => setTimeout(resolve, 60_000));
exports.nothing = async () => undefined;
`;
const handler = (name: string): object => ({ handler: `index.${name}`, timeoutSeconds: name === 'sleep' ? 1 : 10 });
const names = ['echo', 'fail', 'crash', 'sleep', 'nothing'];

describe('the gateway over the local Lambda', () => {
  let directory: string;
  let lambda: LambdaPlatform;
  let gateway: RunningGateway;
  const segments: SegmentDocument[] = [];
  const lines: RequestLine[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'throughline-gateway-'));
    await writeFile(join(directory, 'index.js'), source);
    const functions = names.map((name) => lambdaFunction(name, [`GET /${name}/{id}`], handler(name)));
    const service = localService([
      ...functions,
      lambdaFunction('unbuilt', ['GET /unbuilt/{id}'], {
        url: { invokeMode: 'BUFFERED' },
        httpApiRoutes: [{ method: 'GET', path: '/http-api' }],
      }),
    ]);
    service.gateway.httpApi = { name: 'dev-shop' };
    const nowhere = (): void => {};
    const sink = {
      segment: (document: SegmentDocument) => void segments.push(structuredClone(document)),
      span: nowhere,
      log: nowhere,
      metric: nowhere,
      error: nowhere,
      rejected: nowhere,
    };
    const codeDirectory = async ({ key }: { key: string }) => {
      if (key === 'unbuilt') throw new LocalFailure('The handlers do not build: index.ts:3:1\n  3 | const;\n      ^');
      return directory;
    };
    lambda = await createLambdaPlatform({ service, sink, codeDirectory, environment: {} });
    gateway = await createGateway({ service, lambda, sink, port: 0, onRequest: (line) => void lines.push(line) });
  });
  afterAll(async () => {
    await gateway?.stop();
    await lambda?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('hands the function its path variable and one trace, in its event as in its environment', async () => {
    const answer = await send(gateway, 'GET', '/echo/%40worf');
    const seen = JSON.parse(answer.text);
    expect([answer.status, seen.id]).toEqual([200, '%40worf']);
    expect(seen.header).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/);
    expect(String(answer.headers['x-amzn-trace-id'])).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/,
    );
    // Lambda puts its own segment between: the Root stays, the Parent is the function's segment.
    expect(seen.trace.slice(0, 40)).toBe(seen.header.slice(0, 40));
    expect(lines.at(-1)).toMatchObject({ functionKey: 'echo', status: 200, coldStart: true });
  });

  it('is the root of one tree: stage, Lambda, the function', async () => {
    const answer = await send(gateway, 'GET', '/echo/1');
    const root = /Root=([^;]*)/.exec(String(answer.headers['x-amzn-trace-id']))?.[1];
    const whole = (origin: string): SegmentDocument | undefined =>
      segments.find((segment) => segment.trace_id === root && segment.origin === origin && !segment.in_progress);
    // The function's segment ends after the answer, when its runtime is done.
    await expect.poll(() => whole('AWS::Lambda::Function')).toBeDefined();
    const integration = whole('AWS::ApiGateway::Stage')?.subsegments?.[0];
    expect(whole('AWS::Lambda')?.parent_id).toBe(integration?.id);
    expect(whole('AWS::Lambda::Function')?.parent_id).toBe(whole('AWS::Lambda')?.id);
    expect(lines.at(-1)).toMatchObject({ coldStart: false });
  });

  it.each(['fail', 'crash', 'sleep', 'nothing'])('answers 502 for a function that does %s', async (name) => {
    const answer = await send(gateway, 'GET', `/${name}/1`);
    expect([answer.status, answer.text]).toEqual([502, '{"message":"Internal server error"}']);
  });

  it.each(['/unbuilt/1', '/http-api', '/lambda-url/unbuilt/'])(
    'says at %s where the function does not build, with the line',
    async (path) => {
      const answer = await send(gateway, 'GET', path);
      const message = 'The handlers do not build: index.ts:3:1';
      expect([answer.status, answer.headers['x-throughline-error']]).toEqual([502, message]);
      expect(JSON.parse(answer.text)).toEqual({ message, source: ['  3 | const;', '      ^'] });
    },
  );
});
