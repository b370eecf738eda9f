import { styleText } from 'node:util';
import type { RequestLine } from './platform/gateway/index.ts';
import type { LocalService } from './service/model.ts';
import { type LocalCloud, startLocal } from './start.ts';
import { whenStarterEnds } from './starter.ts';

/** What ends `sls local`, beside the end of the npm that started it: Ctrl-C, a terminal that closes, a process manager. */
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * `sls local`: starts everything, says `ready`, prints a line per request, and ends all of it on Ctrl-C.
 * @throws {LocalFailure} as `startLocal` does.
 */
export async function runLocal(options: { service: LocalService; sampling: boolean }): Promise<void> {
  const { service } = options;
  const begun = performance.now();
  const ended = endRequested();
  // Whoever reads may go away, as in `npm start | head`; requests still come.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const starting = startLocal({
    ...options,
    onProgress: (step) => process.stderr.write(`${dim(`… ${step}`)}\n`),
    onRequest: (line) => print(requestLine(line)),
    onReload: (change) =>
      print('keys' in change ? dim(`reloaded ${change.keys.join(', ')}`) : style('red', change.failure)),
    onForward: (sentence) => print(style('yellow', sentence)),
  });
  // Ctrl-C during start-up waits for what is just starting, so that it too is ended.
  const cloud: LocalCloud = await starting;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (!ended.requested) {
    const { api, console } = cloud.addresses;
    print(`ready  API ${api}  console ${console}  (${service.functions.length} functions, ${seconds} s)`);
    print(dim(firstSteps(service, cloud)));
    await ended.signal;
  }
  await cloud.stop();
}

function endRequested(): { requested: boolean; signal: Promise<void> } {
  const state = { requested: false, signal: Promise.resolve() };
  state.signal = new Promise((resolve) => {
    for (const name of endSignals) {
      process.on(name, () => {
        // A second Ctrl-C means now: the functions' processes end with this one.
        if (state.requested) process.exit(130);
        state.requested = true;
        resolve();
      });
    }
    whenStarterEnds(() => {
      state.requested = true;
      resolve();
    });
  });
  return state;
}

function firstSteps(service: LocalService, cloud: LocalCloud): string {
  const routes = service.functions.flatMap((lambda) => lambda.routes);
  const simple = routes.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
  const route = simple[0] ?? routes[0];
  if (!route) return 'This service has no HTTP events.';
  return `       try: curl ${cloud.addresses.api}${route.path}   then: npx sls trace --last   (Ctrl-C ends)`;
}

function requestLine(line: RequestLine): string {
  const status = style(line.status >= 500 ? 'red' : line.status >= 400 ? 'yellow' : 'green', String(line.status));
  const cold = line.coldStart ? style('cyan', ' cold') : '';
  const time = new Date(line.time).toISOString().slice(11, 23);
  const duration = `${line.durationMilliseconds.toFixed(0)} ms`;
  return `${dim(time)} ${line.method} ${line.path} ${status} ${duration}${cold} ${dim(line.traceId)}`;
}

type Color = Parameters<typeof styleText>[0];

function style(color: Color, text: string): string {
  return styleText(color, text, { stream: process.stdout });
}

function dim(text: string): string {
  return style('dim', text);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
