import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('create-activity');

it('answers the new activity and its location', async () => {
  const { status, headers, body } = await invoke('ok');
  expect([status, body]).toMatchObject([200, { handle: 'andrewbrown', message: 'Hello from a captured event' }]);
  expect(headers.location).toBe(`/api/activities/${(body as { uuid: string }).uuid}`);
});

it('names every failed check in order', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['ttl_blank', 'message_blank'] });
});

it('decodes a base64 body', async () => {
  const body = Buffer.from('{"message":"naïve","ttl":"1-hour"}').toString('base64');
  expect(await invoke('ok', { body, isBase64Encoded: true })).toMatchObject({
    status: 200,
    body: { message: 'naïve' },
  });
});

it('rejects base64 that is not UTF-8, and measures the decoded length', async () => {
  const body = Buffer.from([0x22, 0xff, 0x22]).toString('base64');
  expect(await invoke('ok', { body, isBase64Encoded: true })).toMatchObject({ status: 400 });
  const large = Buffer.alloc(6 * 1024 * 1024 + 1).toString('base64');
  expect(await invoke('ok', { body: large, isBase64Encoded: true })).toMatchObject({ status: 413 });
});
