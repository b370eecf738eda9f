// Sends segments by UDP from a process of its own, paced, as many SDKs at once would.
// Arguments: port, segments a second, seconds.
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';

const [port = 0, perSecond = 0, seconds = 0] = process.argv.slice(2).map(Number);
const socket = createSocket('udp4');
/**
 * A sender that was kept waiting catches up by so many a millisecond, not by thousands at once: no
 * kernel's default buffer holds these.
 */
const mostAtOnce = 30;
const base = Math.floor(Date.now() / 1000);

function document(number: number): string {
  const id = number.toString(16).padStart(16, '0');
  const trace = Math.floor(number / 10)
    .toString(16)
    .padStart(24, '0');
  return JSON.stringify({
    name: 'DynamoDB',
    id,
    trace_id: `1-${base.toString(16)}-${trace}`,
    parent_id: 'ffffffffffffffff',
    type: 'subsegment',
    start_time: base + number / 1e5,
    end_time: base + number / 1e5 + 0.005,
    namespace: 'aws',
    http: { response: { status: 200, content_length: 245 } },
    aws: { operation: 'Query', region: 'eu-west-1', table_name: 'cruddur', request_id: 'R'.repeat(52), retries: 0 },
    annotations: { route: '/api/activities/home', user: 'andrewbrown', result_length: 3 },
    metadata: { cruddur: { padding: 'x'.repeat(320) } },
  });
}

socket.connect(port, '127.0.0.1', async () => {
  const begin = performance.now();
  const total = perSecond * seconds;
  let sent = 0;
  while (sent < total) {
    const onTime = Math.ceil(((performance.now() - begin) / 1000) * perSecond);
    const due = Math.min(total, onTime, sent + mostAtOnce);
    const batch: Promise<void>[] = [];
    for (; sent < due; sent++) {
      const datagram = `{"format":"json","version":1}\n${document(sent)}`;
      batch.push(
        new Promise((resolve, reject) => socket.send(datagram, (error) => (error ? reject(error) : resolve()))),
      );
    }
    await Promise.all(batch);
    await sleep(1);
  }
  socket.close();
  process.stdout.write(`${sent}\n`);
});
