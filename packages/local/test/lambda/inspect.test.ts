import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedPositionFor, originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bundleHandlers } from '../../src/bundle/bundle.ts';
import { findHandlerSource } from '../../src/bundle/sources.ts';
import { bench, folder, lambda, until } from './platform.ts';

const sampleSource = `interface Event {
  name: string;
}

export const handler = async (event: Event): Promise<string> => {
  const greeting = 'hello ' + event.name;
  return greeting;
};
`;
const sampleLine = sampleSource.split('\n').findIndex((line) => line.includes('return greeting')) + 1;

type Message = { id?: number; method?: string; params?: Record<string, never>; result?: Record<string, never> };

/** A debugger, as VS Code and Chrome are: it speaks the inspector's protocol over a WebSocket. */
async function attach(port: number) {
  const targets = await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`).catch(() => undefined);
    return (await answer?.json()) as { webSocketDebuggerUrl: string }[] | undefined;
  });
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  onTestFinished(() => socket.close());
  const messages: Message[] = [];
  socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data)) as Message));
  let id = 0;
  return {
    async send(method: string, params: object = {}) {
      const own = ++id;
      socket.send(JSON.stringify({ id: own, method, params }));
      return (await until(() => messages.find((message) => message.id === own))).result;
    },
    event: (method: string, matches: (params: Record<string, never>) => boolean = () => true) =>
      until(() => messages.find((message) => message.method === method && matches(message.params ?? {}))?.params),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function inspected(breakAtStart: boolean) {
  const service = await folder({});
  await mkdir(path.join(service, 'handlers'));
  await writeFile(path.join(service, 'handlers/greet.ts'), sampleSource);
  const greet = lambda({ handler: 'handlers/greet.handler', timeoutSeconds: 1 });
  const bundles = path.join(service, 'bundles');
  const build = () => bundleHandlers([findHandlerSource(greet, service)], bundles, service);
  await build();
  const inspect = { functionKey: 'main', port: await freePort(), breakAtStart };
  const bundle = path.join(bundles, 'handlers/greet.js');
  const started = await bench({ files: {}, functions: [greet], codeDirectory: async () => bundles, inspect });
  return { ...started, service, build, bundle, port: inspect.port };
}

describe('a function that is inspected', () => {
  it('stops at a breakpoint that was set by a line of its TypeScript, for longer than its timeout', async () => {
    const { invoke, bundle, port, service, messages } = await inspected(false);
    const debug = await attach(port);
    await debug.send('Debugger.enable');
    const script = await debug.event('Debugger.scriptParsed', ({ url }) => String(url) === `file://${bundle}`);
    const mapFile = path.resolve(path.dirname(fileURLToPath(String(script.url))), String(script.sourceMapURL));
    const map = new TraceMap(await readFile(mapFile, 'utf8'));
    const source = map.sources[0] ?? '';
    expect(path.resolve(path.dirname(mapFile), source)).toBe(path.join(service, 'handlers/greet.ts'));

    const generated = generatedPositionFor(map, { source, line: sampleLine, column: 2 });
    await debug.send('Debugger.setBreakpointByUrl', {
      url: script.url,
      lineNumber: (generated.line ?? 0) - 1,
      columnNumber: generated.column ?? 0,
    });
    const result = invoke({ name: 'worf' });
    const { callFrames } = await debug.event('Debugger.paused');
    const [frame] = callFrames as unknown as {
      location: { scriptId: string; lineNumber: number; columnNumber: number };
    }[];
    expect(frame?.location.scriptId).toBe(script.scriptId);
    const { lineNumber = 0, columnNumber = 0 } = frame?.location ?? {};
    expect(originalPositionFor(map, { line: lineNumber + 1, column: columnNumber }).line).toBe(sampleLine);

    // The function may work for one second, and stands still for longer.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await debug.send('Debugger.resume');
    expect(await result).toMatchObject({ value: 'hello worf' });
    expect(messages().join('\n')).not.toMatch(/Debugger|timed out/);
  });

  it('waits for the debugger before its code loads, where it was asked to', async () => {
    const { invoke, port } = await inspected(true);
    const result = invoke({ name: 'worf' });
    const debug = await attach(port);
    await debug.send('Debugger.enable');
    await debug.send('Runtime.runIfWaitingForDebugger');
    const { reason } = await debug.event('Debugger.paused');
    expect(reason).toBe('Break on start');
    await debug.send('Debugger.resume');
    expect(await result).toMatchObject({ value: 'hello worf' });
  });

  it('has one environment, in which its calls take turns, and a new one on the same port after a reload', async () => {
    const { invoke, platform, port, service, build } = await inspected(false);
    const results = await Promise.all(['a', 'b', 'c'].map((name) => invoke({ name })));
    expect(results.map(({ value }) => value)).toEqual(['hello a', 'hello b', 'hello c']);
    expect(results.some(({ coldStart }) => coldStart)).toBe(false);
    await writeFile(path.join(service, 'handlers/greet.ts'), sampleSource.replace('hello', 'good day'));
    await build();
    platform.reload();
    expect(await invoke({ name: 'd' })).toMatchObject({ value: 'good day d' });
    await attach(port);
  });
});
