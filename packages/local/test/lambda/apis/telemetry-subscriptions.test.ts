import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { TelemetrySubscriptions } from '../../../src/lambda/apis/telemetry-subscriptions.ts';

it('delivers what came while a delivery was in flight, however long that took', async () => {
  const received: unknown[] = [];
  let firstArrives = () => {};
  let answerFirst = () => {};
  const arrival = new Promise<void>((resolve) => (firstArrives = resolve));
  const server = createServer(async (request, response) => {
    received.push(...JSON.parse(await text(request)));
    if (received.length > 1) return response.end();
    answerFirst = () => response.end();
    firstArrives();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const subscriptions = new TelemetrySubscriptions();
  const { port } = server.address() as AddressInfo;
  const document = {
    schemaVersion: '2022-12-13',
    types: ['function'],
    buffering: { timeoutMs: 25 },
    destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${port}` },
  };
  const subscribed = subscriptions.subscribe({ body: Buffer.from(JSON.stringify(document)) });
  expect(subscribed.status).toBe(200);
  subscriptions.initEnded();

  subscriptions.add('function', 'first');
  await arrival;
  subscriptions.add('function', 'second');
  // The buffer's own timer fires meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 100));
  answerFirst();

  await expect.poll(() => received, { timeout: 20_000 }).toEqual(['first', 'second']);
});
