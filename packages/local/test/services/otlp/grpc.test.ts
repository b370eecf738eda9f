import { Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startOtlpGrpc } from '../../../src/services/otlp/grpc.ts';
import { collectingSink } from '../../receiver/collecting-sink.ts';
import { span, traceRequest } from './requests.ts';

let sink: ReturnType<typeof collectingSink>;
let running: Awaited<ReturnType<typeof startOtlpGrpc>>;
let client: Client;

beforeEach(async () => {
  sink = collectingSink();
  running = await startOtlpGrpc({ port: 0, sink, limits: { bodyBytes: 1_000_000 } });
  client = new Client(`127.0.0.1:${running.port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': -1,
  });
});
afterEach(async () => {
  client.close();
  await running.stop();
});

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

function call(bytes: Uint8Array, path = traces): Promise<Buffer> {
  const same = (value: Buffer) => value;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, Buffer.from(bytes), (error, answer) =>
      error ? reject(error) : resolve(answer ?? Buffer.alloc(0)),
    );
  });
}

describe('OTLP over gRPC', () => {
  it('takes spans as OTLP over HTTP does', async () => {
    expect(await call(traceRequest([span({ name: 'by gRPC' })]))).toHaveLength(0);
    expect(sink.spans.map(({ name }) => name)).toEqual(['by gRPC']);
  });

  it('says how many records it refused, and keeps those beside them', async () => {
    const answer = await call(traceRequest([span({ name: 'good' }), span({ name: 'bad', startTimeUnixNano: 0n })]));
    expect(answer.toString()).toContain('1 span rejected');
    expect(sink.spans.map(({ name }) => name)).toEqual(['good']);
  });

  it.each([
    ['nonsense', Buffer.from('nonsense'), status.INVALID_ARGUMENT],
    ['a message over the limit', Buffer.alloc(1_500_000), status.RESOURCE_EXHAUSTED],
  ])('refuses %s by a status of its own', async (_what, bytes, code) => {
    await expect(call(bytes)).rejects.toMatchObject({ code });
    expect(sink.spans).toEqual([]);
  });

  it('has logs and metrics, and no other service', async () => {
    for (const [signal, name] of [
      ['logs', 'LogsService'],
      ['metrics', 'MetricsService'],
    ]) {
      const path = `/opentelemetry.proto.collector.${signal}.v1.${name}/Export`;
      expect(await call(Buffer.alloc(0), path)).toHaveLength(0);
    }
    await expect(call(Buffer.alloc(0), '/jaeger.api_v2.CollectorService/PostSpans')).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  it('answers no other host name', async () => {
    const other = new Client(`127.0.0.1:${running.port}`, credentials.createInsecure(), {
      'grpc.default_authority': 'evil.example',
    });
    const same = (value: Buffer) => value;
    const refused = new Promise((_, reject) => {
      other.makeUnaryRequest(traces, same, same, Buffer.alloc(0), (error) => reject(error));
    });
    await expect(refused).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    other.close();
  });

  it('names its port when another has it', async () => {
    await expect(startOtlpGrpc({ port: running.port, sink })).rejects.toThrow(/Port \d+ \(grpc\) is in use/);
  });
});
