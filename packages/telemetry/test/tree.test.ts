import { newRoot, type SpanRecord } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreements, type Trees, treesOf } from './harness/agreement.ts';
import { spansOf } from './harness/back-end.ts';
import { awsRuntimeClient, type Invocation, type LambdaHarness, startLambdaHarness } from './harness/lambda-harness.ts';

const runtimes = [
  { runtime: 'local', name: "this project's runtime client", skipped: false },
  {
    runtime: 'aws',
    name: awsRuntimeClient ? "AWS's runtime client" : "AWS's runtime client (skipped: AWS_LAMBDA_RIC is not set)",
    skipped: !awsRuntimeClient,
  },
] as const;

for (const { runtime, name, skipped } of runtimes) {
  describe.skipIf(skipped)(`a request under ${name}, with the layer`, () => {
    let harness: LambdaHarness;

    beforeAll(async () => {
      harness = await startLambdaHarness({ runtime, layer: true });
    });
    afterAll(() => harness.stop());

    const trees = (invocation: Invocation): Promise<Trees> => treesOf(harness, invocation);

    it('is one tree with the same names, ids, parents and attributes in X-Ray and in OpenTelemetry', async () => {
      const both = await trees(await harness.invoke({ path: '/ok' }));

      expect(disagreements(both)).toEqual([]);
      expect(both.otel).toHaveLength(6);
    });

    it('puts parallel spans beside each other, and their children below the right one', async () => {
      const { otel } = await trees(await harness.invoke({ path: '/ok' }));
      const parentName = (name: string): string | undefined => {
        const parentId = otel.find((span) => span.name === name)?.parentId;
        return otel.find((span) => span.spanId === parentId)?.name;
      };

      expect(['left', 'right', 'below left', 'below right', 'outer'].map(parentName)).toEqual([
        'outer',
        'outer',
        'left',
        'right',
        '## handlers/probe.handler',
      ]);
    });

    it("hangs the handler's subsegment below the function's segment, and gives OpenTelemetry's trace a true root", async () => {
      const invocation = await harness.invoke({ path: '/ok' });
      const { xray, otel } = await trees(invocation);
      const report = (): string =>
        harness.lines.find(({ message }) => message.startsWith(`REPORT RequestId: ${invocation.requestId}`))?.message ??
        '';
      await harness.until(() => report() !== '');
      const root = xray.find((segment) => segment.name.startsWith('## '));

      expect(report()).toContain(`SegmentId: ${root?.parent_id}`);
      expect(otel.filter((span) => !span.parentId)).toHaveLength(1);
    });

    it('records metadata unindexed in X-Ray and as JSON in OpenTelemetry', async () => {
      const { xray, otel } = await trees(await harness.invoke({ path: '/ok' }));

      expect(xray.find(({ name }) => name === 'outer')?.metadata?.default?.detail).toEqual({ nested: [1, 2] });
      expect(otel.find(({ name }) => name === 'outer')?.attributes.detail).toBe('{"nested":[1,2]}');
    });

    it('drops the metadata of a subsegment that no datagram would hold, and counts that', async () => {
      const invocation = await harness.invoke({ path: '/large' });
      const { xray } = await trees(invocation);
      await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));

      expect(xray.find(({ name }) => name === 'large')?.metadata).toEqual({
        default: { trimmed: 'larger than 64 KB' },
      });
      expect(harness.json(invocation).find((line) => '_aws' in line)).toMatchObject({
        TelemetryLost_metadata: 1,
      });
    });

    it.each([
      { path: '/fault', status: 500, fault: true, error: undefined, otelStatus: 'error' },
      { path: '/synchronous', status: 500, fault: true, error: undefined, otelStatus: 'error' },
      { path: '/handled', status: 500, fault: true, error: undefined, otelStatus: 'error' },
      { path: '/missing', status: 404, fault: undefined, error: true, otelStatus: 'unset' },
      { path: '/early', status: 401, fault: undefined, error: true, otelStatus: 'unset' },
      { path: '/none', status: 204, fault: undefined, error: undefined, otelStatus: 'unset' },
    ])(
      'flags $path by its status $status, in both, and leaves nothing open',
      async ({ path, status, fault, error, otelStatus }) => {
        const { xray, otel } = await trees(await harness.invoke({ path }));
        const root = xray.find((segment) => segment.name.startsWith('## '));

        expect(root).toMatchObject({ annotations: { http_response_status_code: status, route: path } });
        expect([root?.fault, root?.error]).toEqual([fault, error]);
        expect(otel.find((span) => span.name.startsWith('## '))?.status).toBe(otelStatus);
        expect(xray.filter((segment) => segment.in_progress || segment.end_time === undefined)).toEqual([]);
      },
    );

    it('flags the span that an expected error passes through as an error, and the one of an unexpected error as a fault', async () => {
      const expected = await trees(await harness.invoke({ path: '/missing' }));
      const unexpected = await trees(await harness.invoke({ path: '/fault' }));

      expect(expected.xray.find(({ name }) => name === 'looking')).toMatchObject({ error: true });
      expect(expected.xray.find(({ name }) => name === 'looking')?.fault).toBeUndefined();
      expect(unexpected.xray.find(({ name }) => name === 'failing')).toMatchObject({
        fault: true,
        cause: { exceptions: [{ type: 'Error', message: 'out of cheese' }] },
      });
    });

    it('ends the spans that a handler has left running', async () => {
      const { xray, otel } = await trees(await harness.invoke({ path: '/unfinished' }));

      expect(xray.map(({ name }) => name).sort()).toEqual(['## handlers/probe.handler', 'never ends']);
      expect(otel).toHaveLength(2);
    });

    it('sends X-Ray nothing of a request that it does not sample, and OpenTelemetry everything', async () => {
      const unsampled = await harness.invoke({ path: '/ok', sampled: false });
      while (!(await spansOf(harness.otlp.deliveries)).some(({ traceId }) => traceId === unsampled.traceId)) {
        await harness.otlp.received(harness.otlp.deliveries.length + 1);
      }
      const later = await harness.invoke({ path: '/ok' });
      await trees(later);

      expect(harness.subsegments.filter(({ trace_id }) => trace_id === unsampled.root)).toEqual([]);
      expect(
        (await spansOf(harness.otlp.deliveries)).filter(({ traceId }) => traceId === unsampled.traceId),
      ).toHaveLength(6);
    });

    it("is a child of the caller's span when its traceparent names this trace, and linked to it when it names another", async () => {
      const caller = '00f067aa0ba902b7';
      const other = 'ab'.repeat(16);
      const root = newRoot();
      const own = root.slice(2).replace('-', '');
      const child = await trees(
        await harness.invoke({ path: '/ok', root, headers: { traceparent: `00-${own}-${caller}-01` } }),
      );
      const linked = await trees(
        await harness.invoke({ path: '/ok', headers: { TraceParent: `00-${other}-${caller}-01` } }),
      );
      const rootOf = (spans: SpanRecord[]) => spans.find((span) => span.name.startsWith('## '));

      expect(rootOf(child.otel)?.parentId).toBe(caller);
      expect(rootOf(linked.otel)?.parentId).toBeUndefined();
      expect(rootOf(linked.otel)?.links).toMatchObject([{ traceId: other, spanId: caller }]);
    });

    it.each([
      ['00', undefined],
      ['01', '00f067aa0ba902b7'],
    ])('reads a traceparent of version %s with a fifth field as a child of %s', async (version, parent) => {
      const root = newRoot();
      const traceparent = `${version}-${root.slice(2).replace('-', '')}-00f067aa0ba902b7-01-more`;
      const { otel } = await trees(await harness.invoke({ path: '/ok', root, headers: { traceparent } }));
      const own = otel.find((span) => span.name.startsWith('## '));

      expect([own?.parentId, own?.links]).toEqual([parent, []]);
    });

    it('writes one wide event and one record of metrics for each request, on its id', async () => {
      const invocation = await harness.invoke({ path: '/ok' });
      await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
      const lines = harness.json(invocation);

      expect(lines.filter((line) => 'event' in line)).toMatchObject([
        {
          level: 'INFO',
          message: 'GET /ok 200',
          trace_id: invocation.traceId,
          xray_trace_id: invocation.root,
          event: {
            route: '/ok',
            method: 'GET',
            status: 200,
            user: 'andrewbrown',
            database_calls: 0,
            response_bytes: 2,
            release: 'abc1234',
            trace_id: invocation.traceId,
          },
        },
      ]);
      expect(lines.filter((line) => '_aws' in line)).toMatchObject([
        { Requests: 1, Faults: 0, ThingDone: 1, service: 'stage', route: '/ok', trace_id: invocation.traceId },
      ]);
    });

    it('holds debug lines back, and prints them when the request fails', async () => {
      const fine = await harness.invoke({ path: '/ok' });
      await harness.until(() => harness.json(fine).some((line) => '_aws' in line));

      expect(harness.json(fine).filter((line) => line.level === 'DEBUG')).toEqual([]);

      const failed = await harness.invoke({ path: '/debugged-fault' });
      await harness.until(() => harness.json(failed).some((line) => '_aws' in line));
      expect(harness.json(failed).filter((line) => line.level === 'DEBUG')).toMatchObject([
        { message: 'held back', trace_id: failed.traceId },
      ]);
    });
  });
}
