// Writes spans, segments and refused input into the store that its argument names until it is
// killed, and prints after each flush how many rows of each kind can be read.
import { openStore } from '../../../src/store/index.ts';

const [file = ''] = process.argv.slice(2);
const store = await openStore({ file });
for (let count = 1; ; count++) {
  const id = count.toString(16).padStart(16, '0');
  const trace = count.toString(16).padStart(24, '0');
  store.segment({ name: 'n', id, trace_id: `1-5f84c7a1-${trace}`, start_time: 1, end_time: 2 });
  store.rejected('xray', 'the document is not JSON', String(count));
  store.span({
    source: 'otlp',
    traceId: `5f84c7a1${trace}`,
    spanId: id,
    name: 'n',
    kind: 'server',
    startNanoseconds: 1n,
    endNanoseconds: 2n,
    status: 'ok',
    serviceName: 's',
    // A new column now and then: the schema changes while it is written to.
    attributes: { [`key ${count % 7}`]: count },
    resource: {},
    events: [],
    links: [],
    sampleRate: 1,
  });
  if (count % 50 !== 0) continue;
  await store.flush();
  process.stdout.write(`${count}\n`);
}
