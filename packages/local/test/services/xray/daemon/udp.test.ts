import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import AWSXRay from 'aws-xray-sdk-core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeDatagram } from '../../../../src/services/xray/daemon/datagram.ts';
import { startXray, type Xray } from '../../../../src/services/xray/index.ts';
import { openStore, type Store } from '../../../../src/store/index.ts';
import { buildTrace } from '../../../../src/trace/build-trace.ts';
import type { SegmentDocument, TelemetrySink } from '../../../../src/trace/records.ts';

const header = '{"format":"json","version":1}\n';
const sampleTrace = '1-5f84c7a1-e7d1852db8c4fd35d88bf49a';
const sampleDocument = {
  name: 'home',
  id: '00000000000000a1',
  trace_id: sampleTrace,
  start_time: 1602537377,
  end_time: 1602537378,
};

let store: Store;
let xray: Xray;

beforeEach(async () => {
  store = await openStore({ file: ':memory:' });
  xray = await startXray({ port: 0, sink: store, store });
});

afterEach(async () => {
  await xray.stop();
  await store.close();
});

async function send(...datagrams: string[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const datagram of datagrams) {
    await new Promise<void>((resolve, reject) => {
      socket.send(datagram, xray.port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await sleep(20);
  }
}

describe('segments by UDP', () => {
  it('are stored and found by their trace id', async () => {
    await send(header + JSON.stringify(sampleDocument));
    const trace = await until(() => store.trace(sampleTrace));
    expect(trace.roots).toMatchObject([{ name: 'home', id: '00000000000000a1', duration: 1000 }]);
  });

  it('come from aws-xray-sdk-core as they come to the daemon, subsegments and errors with them', async () => {
    AWSXRay.setDaemonAddress(`127.0.0.1:${xray.port}`);
    AWSXRay.setContextMissingStrategy('IGNORE_ERROR');
    const segment = new AWSXRay.Segment('from the SDK');
    const subsegment = segment.addNewSubsegment('## work');
    subsegment.addAnnotation('route', '/home');
    subsegment.addMetadata('seen', { deep: [1] });
    subsegment.close(new TypeError('it broke'));
    segment.close();
    const trace = await until(async () => {
      const found = await store.trace(segment.trace_id);
      return found?.inProgress === false ? found : undefined;
    });
    expect(trace.roots).toMatchObject([
      {
        name: 'from the SDK',
        children: [
          {
            name: '## work',
            fault: true,
            annotations: { route: '/home' },
            metadata: { default: { seen: { deep: [1] } } },
            exceptions: [{ type: 'TypeError', message: 'it broke' }],
          },
        ],
      },
    ]);
  });

  it('are counted with a reason where they are malformed, and hurt nothing beside them', async () => {
    const text = (change: Record<string, unknown>) => header + JSON.stringify({ ...sampleDocument, ...change });
    await send(
      'nonsense',
      `{"format":"xml","version":1}\n${JSON.stringify(sampleDocument)}`,
      header,
      `${header}{"name":`,
      `${header}[1]`,
      `${header}T1SCgYKBAoCCAE=`,
      text({ id: 'short' }),
      text({ trace_id: '1-2-3' }),
      text({ name: 'a'.repeat(201) }),
      text({ start_time: 'yesterday' }),
      text({ start_time: 1602537377000 }),
      text({ end_time: undefined }),
      text({ type: 'subsegment' }),
      text({ subsegments: [{ ...sampleDocument, subsegments: [{ name: 'x', id: 'bad', start_time: 1 }] }] }),
      text({ metadata: { default: { padding: 'x'.repeat(65_000 - header.length) } } }),
      text({ name: 'the good one' }),
    );
    await until(() => store.trace(sampleTrace));
    expect((await store.trace(sampleTrace))?.roots.map(({ name }) => name)).toEqual(['the good one']);
    const reasons = store
      .rejections()
      .map(({ intake: from, reason, detail, count }) => ({ from, reason, detail, count }));
    expect(reasons.every(({ from }) => from === 'xray')).toBe(true);
    expect(reasons.reduce((sum, { count }) => sum + count, 0)).toBe(14);
    expect(reasons.map(({ reason }) => reason)).toEqual([
      'the header is not {"format":"json","version":1} and a line end',
      'the datagram has a header and no document',
      'the document is not JSON',
      'the document is not a JSON object',
      'OTLP in a datagram is not read here, send it over HTTP',
      'the id is not 16 hex digits',
      'the trace_id is not 1-<8 hex digits>-<24 hex digits>',
      'the name is not 1-200 letters, digits, spaces and _ . : / % & # = + \\ - @',
      'start_time is not a time in epoch seconds',
      'start_time is not in seconds',
      'there is neither end_time nor in_progress',
      'a subsegment that is sent alone has no parent_id',
    ]);
    expect(reasons.find(({ reason }) => reason.startsWith('the id'))).toMatchObject({
      detail: 'bad at subsegments[0].subsegments[0]',
      count: 2,
    });
  });

  it('arrive without loss at 10,000 a second for five seconds', { timeout: 120_000 }, async () => {
    const script = fileURLToPath(new URL('./send-burst.ts', import.meta.url));
    const sender = spawn(process.execPath, [script, String(xray.port), '10000', '5'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(sender.stdout, 'data')) as [Buffer];
    const sent = Number(output.toString());
    expect(sent).toBe(50_000);
    const stored = async () => Number((await store.query('SELECT count(DISTINCT id) AS n FROM segments'))[0]?.n);
    // What is still on its way when the sender has ended is a matter of milliseconds; until nothing
    // more comes, it may come.
    for (let before = -1, now = await stored(); now !== before && now < sent; now = await stored()) {
      before = now;
      await sleep(500);
    }
    expect(store.rejections()).toEqual([]);
    expect(await stored()).toBe(sent);
  });

  it('are taken, all that had arrived, when the receiver is stopped', async () => {
    const other = await startXray({ port: 0, sink: store, store });
    const socket = createSocket('udp4');
    for (let number = 0; number < 300; number++) {
      const datagram = header + JSON.stringify({ ...sampleDocument, id: number.toString(16).padStart(16, '0') });
      await new Promise((resolve) => socket.send(datagram, other.port, '127.0.0.1', resolve));
    }
    await other.stop();
    socket.close();
    expect((await store.trace(sampleTrace))?.roots).toHaveLength(300);
  });

  // Another process that asks for any port may get the one that this frees for a moment.
  it('are refused at a port that is taken, and leave no socket behind', { retry: 3 }, async () => {
    await expect(startXray({ port: xray.port, sink: store, store })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    await expect(startXray({ port, sink: store, store })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    socket.close();
    await once(socket, 'close');
    const free = await startXray({ port, sink: store, store });
    expect(free.port).toBe(port);
    await free.stop();
  });
});

describe('a datagram', () => {
  it('is either one segment or one rejection, whatever is in it', () => {
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json().map((json) => header + json),
      fc
        .record(
          {
            name: fc.oneof(fc.constant('n'), fc.anything()),
            id: fc.oneof(fc.constant('00000000000000a1'), fc.anything()),
            trace_id: fc.oneof(fc.constant(sampleTrace), fc.anything()),
            start_time: fc.oneof(fc.constant(1), fc.anything()),
            end_time: fc.oneof(fc.constant(2), fc.anything()),
            subsegments: fc.anything(),
            parent_id: fc.anything(),
            http: fc.oneof(fc.anything(), fc.record({ request: fc.anything(), response: fc.anything() })),
            cause: fc.oneof(fc.anything(), fc.record({ exceptions: fc.array(fc.anything()) })),
            annotations: fc.anything(),
            metadata: fc.anything(),
            aws: fc.anything(),
            user: fc.anything(),
            origin: fc.anything(),
          },
          { requiredKeys: ['name', 'id', 'trace_id', 'start_time'] },
        )
        .map((record) => {
          const seen = JSON.stringify(record, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
          return header + seen;
        }),
    );
    fc.assert(
      fc.property(noise, (datagram) => {
        const segments: SegmentDocument[] = [];
        const rejections: string[] = [];
        const sink = {
          segment: (document: SegmentDocument) => segments.push(document),
          rejected: (_intake: string, reason: string) => rejections.push(reason),
        } as unknown as TelemetrySink;
        takeDatagram(datagram, sink);
        expect(segments.length + rejections.length).toBe(1);
        buildTrace('5f84c7a1e7d1852db8c4fd35d88bf49a', { documents: segments, spans: [] });
        for (const { id, trace_id } of segments) expect([id, trace_id]).toEqual(['00000000000000a1', sampleTrace]);
      }),
    );
  });
});
