import path from 'node:path';
import { newRoot, newSegmentId } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansOf, startBackEnd } from '../harness/back-end.ts';
import { awsRuntimeClient, type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

const fixtures = path.join(import.meta.dirname, 'fixture');

const aws = awsRuntimeClient ? "AWS's runtime client" : "AWS's runtime client (skipped: AWS_LAMBDA_RIC is not set)";

/**
 * Under which circumstances instrumentation-aws-lambda gets hold of a handler in a CommonJS bundle.
 */
const circumstances = [
  { title: 'nodejs22.x, which requires handlers', version: 'nodejs22.x', patched: true, hook: '', runtime: 'local' },
  { title: 'nodejs24.x, which imports handlers', version: 'nodejs24.x', patched: false, hook: '', runtime: 'local' },
  { title: `nodejs24.x and ${aws}`, version: 'nodejs24.x', patched: false, hook: '', runtime: 'aws' },
  { title: 'nodejs24.x with a hook for imports', version: 'nodejs24.x', patched: true, hook: '1', runtime: 'local' },
  {
    title: `nodejs24.x with a hook for imports and ${aws}`,
    version: 'nodejs24.x',
    patched: true,
    hook: '1',
    runtime: 'aws',
  },
] as const;

for (const { title, version, patched, hook, runtime } of circumstances) {
  describe.skipIf(runtime === 'aws' && !awsRuntimeClient)(
    `the same bundle in the community layer's parts, under ${title}`,
    () => {
      let harness: LambdaHarness;

      beforeAll(async () => {
        harness = await startLambdaHarness({
          runtime,
          version,
          layer: path.join(fixtures, 'community'),
          environment: {
            COMMUNITY_LAYER_INIT: path.join(fixtures, 'community-init.mjs'),
            COMMUNITY_LAYER_HOOK: hook,
          },
        });
      });
      afterAll(() => harness.stop());

      it(`answers, and sends one trace with one root: ${patched ? "the layer's, and our spans below it" : 'ours'}`, async () => {
        // instrumentation-aws-lambda looks headers up in this case alone.
        const root = newRoot();
        const headers = { 'x-amzn-trace-id': `Root=${root};Parent=${newSegmentId()};Sampled=1` };
        const invocation = await harness.invoke({ path: '/ok', root, headers });
        const spans = await spansOf(await harness.otlp.received(1));
        const ids = new Set(spans.map(({ spanId }) => spanId));
        const roots = spans.filter(({ parentId }) => !parentId || !ids.has(parentId));

        expect(invocation.response).toEqual({ statusCode: 200, body: 'ok' });
        expect(roots.map((span) => span.name)).toEqual([patched ? 'stage-dev-probe' : '## handlers/probe.handler']);
        expect(spans.map((span) => span.name).sort()).toEqual(
          [
            ...(patched ? ['stage-dev-probe'] : []),
            ...['## handlers/probe.handler', 'outer', 'left', 'right', 'below left', 'below right'],
          ].sort(),
        );
        if (patched) expect(spans.find((span) => span.name.startsWith('## '))?.parentId).toBe(roots[0]?.spanId);
        expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([invocation.traceId]));
        expect(harness.lines.filter(({ message }) => message.includes('Cannot redefine property'))).toEqual([]);
      });

      it('gives X-Ray and OpenTelemetry the same spans from the handler down', async () => {
        const before = harness.otlp.deliveries.length;
        const invocation = await harness.invoke({ path: '/ok' });
        const own = () => harness.subsegments.filter(({ trace_id }) => trace_id === invocation.root);
        await harness.until(() => own().length === 6);
        const spans = await spansOf((await harness.otlp.received(before + 1)).slice(before));
        const ours = spans.filter((span) => span.name !== 'stage-dev-probe');

        expect(
          own()
            .map(({ id }) => id)
            .sort(),
        ).toEqual(ours.map(({ spanId }) => spanId).sort());
      });
    },
  );
}

describe("a function of this project in the community layer's parts", () => {
  it('answers, with one root', async () => {
    const harness = await startLambdaHarness({
      layer: path.join(fixtures, 'community'),
      handler: path.join(import.meta.dirname, '../../../../handlers/health.ts'),
      environment: {
        COMMUNITY_LAYER_INIT: path.join(fixtures, 'community-init.mjs'),
        COMMUNITY_LAYER_HOOK: '1',
        TABLE_NAME: 'table',
        FRONTEND_URL: 'http://localhost',
        CURSOR_SECRET: 'sixteen characters',
      },
    });
    const { response } = await harness.invoke({ path: '/api/health-check' });
    const spans = await spansOf(await harness.otlp.received(1));

    expect(response?.statusCode).toBe(200);
    expect(spans.filter(({ parentId }) => !parentId).map((span) => span.name)).toEqual(['stage-dev-probe']);
    await harness.stop();
  });
});

describe("below the community layer's instrumentation of http", () => {
  const environment = {
    COMMUNITY_LAYER_INIT: path.join(fixtures, 'community-init.mjs'),
  };

  it('a call to AWS is one span, and leaves with the traceparent that was signed', async () => {
    const aws = await startBackEnd();
    const harness = await startLambdaHarness({
      layer: path.join(fixtures, 'community'),
      handler: path.join(import.meta.dirname, '../fixture/table.ts'),
      environment: { ...environment, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    });
    const root = newRoot();
    const headers = { 'x-amzn-trace-id': `Root=${root};Parent=${newSegmentId()};Sampled=1` };
    const { traceId } = await harness.invoke({ path: '/refused', query: { url: aws.url }, root, headers });
    const spans = (await spansOf(await harness.otlp.received(1))).filter((span) => span.traceId === traceId);
    const [call] = spans.filter(({ name }) => name === 'DynamoDB');

    expect(spans.map(({ name }) => name).sort()).toEqual(['## handlers/probe.handler', 'DynamoDB']);
    expect(aws.deliveries[0]?.headers.traceparent).toBe(`00-${traceId}-${call?.spanId}-01`);
    expect(aws.deliveries[0]?.headers.authorization).toContain('traceparent');
    await Promise.all([harness.stop(), aws.stop()]);
  });

  it('what telemetry sends, and its wait for the next event, are no spans', async () => {
    const harness = await startLambdaHarness({
      layer: path.join(fixtures, 'community'),
      environment: { ...environment, ROLLBAR_ACCESS_TOKEN: 'token' },
    });
    const first = await harness.invoke({ path: '/known-fault' });
    await harness.idle(first);
    const second = await harness.invoke({ path: '/ok' });
    const spans = await spansOf(await harness.otlp.received(2));

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([first.traceId, second.traceId]));
    expect(harness.rollbar.deliveries.map(({ headers }) => headers.traceparent)).toEqual([undefined]);
    await harness.stop();
  });
});
