import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Exporter } from '../../src/export/exporter.ts';
import { type BackEnd, startBackEnd } from '../harness/back-end.ts';
import { type ExtensionsApi, startExtensionsApi } from '../harness/extensions-api.ts';

describe('a process that registers while its module is loaded', () => {
  /** Its requests, with a server in the place of Lambda. */
  async function register(registration: number | 'hangs'): Promise<{ said: string[]; asked: string[] }> {
    const api = await startExtensionsApi(registration);
    api.invoke('an-id', 1795363295000);
    const child = spawn(process.execPath, [path.join(import.meta.dirname, '../fixture/register.ts'), api.address], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await once(child, 'close');
    await api.stop();
    return { said: said.trim().split('\n'), asked: api.asked };
  }

  it('has registered for INVOKE when its module has been loaded, and then takes events', async () => {
    expect(await register(200)).toEqual({
      said: ['registered', '{"requestId":"an-id","deadline":1795363295000}'],
      asked: ['POST /2020-01-01/extension/register throughline-exporter', 'GET /2020-01-01/extension/event/next'],
    });
  });

  it.each([403, 'hangs'] as const)('goes on without when that is answered: %s', async (registration) => {
    expect((await register(registration)).said).toEqual(['refused']);
  });
});

it('a process that was accepted when its module had long been loaded takes events from then on', async () => {
  const api = await startExtensionsApi('hangs');
  api.invoke('an-id', 1795363295000);
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, '../fixture/register.ts'), api.address, 'wait'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (line === 'refused') api.accept();
  }
  await api.stop();

  expect(said).toEqual(['refused', 'registered', '{"requestId":"an-id","deadline":1795363295000}']);
});

describe('an extension', () => {
  let api: ExtensionsApi;
  let backEnd: BackEnd;
  let exporter: Exporter;

  beforeEach(async () => {
    backEnd = await startBackEnd();
    exporter = new Exporter();
  });
  afterEach(async () => {
    vi.useRealTimers();
    Reflect.deleteProperty(globalThis, 'awslambda');
    await api.stop();
    await backEnd.stop();
  });

  const add = (payload: string): void => {
    const build = () => ({ headers: {}, body: payload });
    exporter.queue.add({
      backend: { name: 'Test', unit: 'records', recordsPerPost: 1, url: backEnd.url, build },
      payload,
      count: 1,
    });
  };
  const bodies = (): string[] => backEnd.deliveries.map(({ body }) => String(body));

  it('that Lambda never answers does not hold up INIT', async () => {
    api = await startExtensionsApi('hangs');
    await exporter.register(api.address);
    add('first');
    await exporter.end('1');

    expect(bodies()).toEqual(['first']);
  });

  it('that Lambda accepts when INIT no longer waits is one from then on, or Lambda would wait for it in every invocation', async () => {
    api = await startExtensionsApi('hangs');
    await exporter.register(api.address);
    expect(exporter.isExtension).toBe(false);
    api.accept();
    await api.askedForEvents(1);

    expect(exporter.isExtension).toBe(true);
  });

  it('is one when the head of the answer says so, also if its body has no end', async () => {
    api = await startExtensionsApi('has no end');
    await exporter.register(api.address);
    await api.askedForEvents(1);

    expect(exporter.isExtension).toBe(true);
  });

  it.each(['resets', 'answers 500', 'answers nonsense'] as const)(
    'asks again for the next event when Lambda %s, and sends before the answer meanwhile',
    async (answer) => {
      api = await startExtensionsApi();
      await exporter.register(api.address);
      await api.askedForEvents(1);
      api.behave(answer);
      await api.askedForEvents(3);
      add('before the answer');
      await exporter.end('1');
      expect(bodies()).toEqual(['before the answer']);

      api.behave('waits');
      api.invoke('2');
      add('after the answer');
      await exporter.end('2');
      await backEnd.received(2);
      api.invoke('3');
      exporter.begin('3');
      const asked = api.asked.length;
      await exporter.end('3');
      await api.askedForEvents(asked + 1);
    },
  );

  /** As Lambda's runtime does: makes its store, and runs the handler in it. */
  async function run(requestId: string, handler: () => Promise<unknown>): Promise<void> {
    const holder = globalThis as {
      awslambda?: { InvokeStore?: { run(context: object, work: () => unknown): unknown } };
    };
    holder.awslambda = { ...holder.awslambda };
    holder.awslambda.InvokeStore ??= { run: (_context, work) => work() };
    await holder.awslambda.InvokeStore.run({ [Symbol.for('_AWS_LAMBDA_REQUEST_ID')]: requestId }, handler);
  }

  it('lets go of an invocation whose handler knows nothing of it as soon as that is answered', async () => {
    api = await startExtensionsApi();
    await exporter.register(api.address);
    await api.askedForEvents(1);
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    api.invoke('1');
    await run('1', async () => add('first'));
    const asked = (): number => api.asked.filter((line) => line.endsWith('/event/next')).length;
    let milliseconds = 0;
    for (; asked() < 2; milliseconds += 1) {
      await vi.advanceTimersByTimeAsync(1);
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(bodies()).toEqual(['first']);
    // Of the timers' time, which stands still while anything else goes on.
    expect(milliseconds).toBeLessThan(1_000);
  });

  it('sends nothing while such a handler is at work, however long that takes', async () => {
    api = await startExtensionsApi();
    await exporter.register(api.address);
    await run('0', async () => {});
    api.invoke('1');
    let sent: string[] = ['unknown'];
    await run('1', async () => {
      add('first');
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      sent = bodies();
    });

    expect(sent).toEqual([]);
    await backEnd.received(1);
  });
});
