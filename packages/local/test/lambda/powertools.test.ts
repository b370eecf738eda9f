import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import type { SegmentDocument } from '../../src/trace/records.ts';
import { bench, folder, until } from './platform.ts';

const sampleHandler = `
  import { Tracer } from '@aws-lambda-powertools/tracer';
  import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
  import middy from '@middy/core';
  const tracer = new Tracer();
  export const handler = middy()
    .use(captureLambdaHandler(tracer))
    .handler(async (event) => {
      const parent = tracer.getSegment();
      const own = parent.addNewSubsegment('read the feed');
      own.addAnnotation('result_length', 3);
      own.close();
      if (event.fail) throw new RangeError('too far');
      return { statusCode: 200 };
    });
`;

it('lets Powertools and Middy, bundled, send their subsegments below the function’s segment', async () => {
  const received: SegmentDocument[] = [];
  const daemon = createSocket('udp4', (message) => {
    const [header, document] = message.toString().split('\n');
    expect(JSON.parse(header ?? '')).toEqual({ format: 'json', version: 1 });
    received.push(JSON.parse(document ?? ''));
  });
  await new Promise<void>((resolve) => daemon.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void daemon.close());

  const code = await folder({});
  await build({
    stdin: { contents: sampleHandler, resolveDir: import.meta.dirname },
    outfile: join(code, 'app.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    logLevel: 'silent',
  });
  const { invoke, sink, logged } = await bench({
    files: {},
    codeDirectory: async () => code,
    environment: { AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.address().port}` },
  });

  const result = await invoke({ fail: true });
  expect(result.error).toMatchObject({ kind: 'thrown', type: 'RangeError' });
  const warm = await invoke();
  expect(warm).toMatchObject({ value: { statusCode: 200 }, coldStart: false });

  const functionOf = (requestId: string) =>
    sink.segments.find(
      (document) => document.origin === 'AWS::Lambda::Function' && document.aws?.request_id === requestId,
    );
  for (const { requestId } of [result, warm]) {
    const segment = functionOf(requestId);
    const handler = await until(() =>
      received.find((one) => one.name === '## app.handler' && one.trace_id === segment?.trace_id),
    );
    expect(handler.parent_id).toBe(segment?.id);
    const nested = [...received, ...(handler.subsegments ?? [])].find(
      (one) => one.name === 'read the feed' && (one.parent_id ?? handler.id) === handler.id,
    );
    expect(nested).toMatchObject({ annotations: { result_length: 3 } });
    await logged(new RegExp(`^REPORT RequestId: ${requestId}`));
    const whole = sink.segments.findLast((document) => document.id === segment?.id);
    expect(handler.start_time).toBeGreaterThanOrEqual(whole?.start_time ?? Number.POSITIVE_INFINITY);
    expect(handler.end_time).toBeLessThanOrEqual(whole?.end_time ?? 0);
  }
  expect(
    received.find((one) => one.trace_id === functionOf(result.requestId)?.trace_id && one.name === '## app.handler'),
  ).toMatchObject({
    fault: true,
  });
});
