import { styleText } from 'node:util';
import { ExplainedTraces } from '../explain/explained-traces.ts';
import type { Style } from '../format/style.ts';
import { duration } from '../format/time.ts';
import type { LocalService } from '../service/model.ts';
import { firstSteps } from './first-steps.ts';
import { whenStarterEnds } from './parent-process.ts';
import { Reloads } from './reloads.ts';
import { RequestLines } from './request-lines.ts';
import { type LocalCloud, type LocalOptions, startLocal } from './start.ts';

/**
 * Signals that end `sls local`, beside the end of the npm that started it: Ctrl-C, a terminal that
 * closes, a process manager.
 */
const endSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * `sls local`: starts everything, says `ready`, prints a line per request, and ends all of it on
 * Ctrl-C.
 * @throws {LocalFailure} as `startLocal` does.
 */
export async function runLocal(
  options: Pick<LocalOptions, 'service' | 'sampling' | 'inspect' | 'bundler'>,
): Promise<void> {
  const { service } = options;
  const begun = performance.now();
  const ended = endRequested();
  // The reader may go away, as in `npm start | head`; requests still come.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let explained: ExplainedTraces | undefined;
  const lines = new RequestLines({ print, paint });
  const reloads = new Reloads((keys) => print(dim(`reloaded ${keys.join(', ')}`)));
  const steps = stepTimes();
  const starting = startLocal({
    ...options,
    onProgress: (step) => steps.begin(step),
    onRequest: (line) => lines.add(line, explained),
    onReload({ keys, failure }) {
      if (failure) print(paint('bad', failure));
      else reloads.add(keys);
    },
    onWarning: (warning) => process.stderr.write(`${paint('warning', `Warning: ${warning}`)}\n`),
    onForward: (sentence) => print(paint('warning', sentence)),
    onBacklog: (sentence) => print(paint('warning', sentence)),
  });
  // Ctrl-C during start-up waits for what is just starting, so that it too is ended.
  const cloud: LocalCloud = await starting.finally(() => steps.end());
  explained = new ExplainedTraces(cloud.store);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  if (!ended.requested) {
    const { api, console } = cloud.addresses;
    print(`ready  API ${api}  console ${console}  (${service.functions.length} functions, ${seconds} s)`);
    print(dim(firstSteps(service, api)));
    if (options.inspect) print(dim(howToAttach(options.inspect)));
    if (service.settings.schedules !== false) for (const line of scheduleLines(service)) print(dim(line));
    await ended.signal;
  }
  await lines.end();
  const summary = lines.summary();
  if (summary) print(summary);
  await cloud.stop();
}

/** Prints each step of the start, and behind it how long it took. */
function stepTimes(): { begin(step: string): void; end(): void } {
  let begun: number | undefined;
  const write = (text: string) => process.stderr.write(text);
  const end = () => {
    if (begun !== undefined) write(dim(`  ${duration(performance.now() - begun)}\n`));
    begun = undefined;
  };
  const begin = (step: string) => {
    end();
    begun = performance.now();
    write(dim(`… ${step}`));
  };
  return { begin, end };
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

function scheduleLines({ functions }: LocalService): string[] {
  return functions.flatMap(({ key, schedules = [] }) =>
    schedules.length === 0 ? [] : [`       ${key} runs by ${schedules.map(({ expression }) => expression).join(', ')}`],
  );
}

function howToAttach({ functionKey, port, breakAtStart }: NonNullable<LocalOptions['inspect']>): string {
  const waits = breakAtStart ? ' It waits there before its code loads.' : '';
  return `       ${functionKey} can be debugged at 127.0.0.1:${port} (VS Code: "Attach to a handler"; Chrome: chrome://inspect).${waits}`;
}

const formats = {
  plain: [],
  bold: ['bold'],
  dim: ['dim'],
  good: ['green'],
  warning: ['yellow'],
  bad: ['red'],
  throttled: ['magenta'],
  accent: ['blue'],
  cold: ['cyan'],
} as const satisfies Record<Style, readonly Parameters<typeof styleText>[0][]>;

function paint(style: Style, text: string): string {
  return styleText([...formats[style]], text, { stream: process.stdout });
}

function dim(text: string): string {
  return paint('dim', text);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
