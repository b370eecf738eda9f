import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/command.ts';
import trace from '../../src/cli/commands/trace.ts';
import { runTrace, type TraceOptions } from '../../src/cli/trace.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { newRun } from '../../src/store/runs/runs.ts';
import type { Trace, TraceSummary } from '../../src/trace/trace.ts';
import { newTrace, segment, startFixture } from '../console/fixture.ts';

let directory: string;
/** Closed by afterEach, in the reverse order. */
let closing: (() => Promise<void>)[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trace-command-'));
  closing = [() => rm(directory, { recursive: true })];
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

/** A port of this machine where nothing listens: 1 is tcpmux. */
const nowhere = 'http://127.0.0.1:1';

async function run(options: Partial<TraceOptions>): Promise<{ code: number; output: string; said: string }> {
  let output = '';
  let said = '';
  const signal = new AbortController().signal;
  const printed = { write: (text: string) => (output += text) };
  const code = await runCommand(
    {
      ...trace,
      run: () =>
        runTrace({
          consoleUrl: nowhere,
          serviceDirectory: directory,
          output: printed,
          signal,
          ...options,
        }),
    },
    {
      values: {},
      positionals: [],
      directory,
      output: printed,
      errorOutput: { write: (text) => (said += text) },
      signal,
    },
  );
  return { code, output, said };
}

async function running() {
  const fixture = await startFixture(directory);
  closing.push(() => fixture.stop());
  return fixture;
}

/** A run that has ended, kept below the service's folder. */
async function ended(fill: (store: Store) => void): Promise<void> {
  const store = await openStore({ file: await newRun(directory) });
  fill(store);
  await store.close();
}

describe('sls trace of a run that is going on', () => {
  it('lists the traces, the newest last', async () => {
    const { store, url } = await running();
    const [older, newer] = [newTrace(), newTrace()];
    const start = Date.now() / 1000;
    store.segment(segment(newer.root, { start_time: start - 10, end_time: start - 9 }));
    store.segment(segment(older.root, { start_time: start - 20, end_time: start - 19 }));
    const { code, output } = await run({ consoleUrl: url });
    expect(code).toBe(0);
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => line.slice(-8)),
    ).toEqual([older.id.slice(-8), newer.id.slice(-8)]);
  });

  it('shows by --last the newest as a waterfall', async () => {
    const { store, url } = await running();
    const { root } = newTrace();
    store.segment(segment(root));
    const { code, output } = await run({ consoleUrl: url, last: true });
    expect(code).toBe(0);
    expect(output).toMatch(/^GET \/orders {2}200 {2}20\.0 ms\n/);
    expect(output).toContain(root);
    expect(output).toMatch(/^X-Ray 1 segment ·/m);
  });

  it('waits by --last for the rest of a request that has just been made', async () => {
    const { store, url } = await running();
    const { root } = newTrace();
    const start = Date.now() / 1000;
    store.segment({ ...segment(root, { start_time: start, in_progress: true }), end_time: undefined } as never);
    setTimeout(() => store.segment(segment(root, { start_time: start, end_time: start + 0.3 })), 300);
    expect((await run({ consoleUrl: url, last: true })).output).toMatch(/^GET \/orders {2}200 {2}300 ms\n/);
  });

  it('shows by --last one that has ended, when the newest goes on and on', async () => {
    const { store, url } = await running();
    const [done, endless] = [newTrace(), newTrace()];
    store.segment(segment(done.root));
    store.segment({
      ...segment(endless.root, { start_time: Date.now() / 1000, in_progress: true }),
      end_time: undefined,
    } as never);
    expect((await run({ consoleUrl: url, last: true })).output).toContain(done.root);
  });

  it('finds a trace by both forms of its id, and by the eight digits that the list shows', async () => {
    const { store, url } = await running();
    const { root, id } = newTrace();
    store.segment(segment(root));
    for (const asked of [root, id, id.toUpperCase(), id.slice(-8), ` ${root} `]) {
      expect(await run({ consoleUrl: url, id: asked })).toMatchObject({
        code: 0,
        output: expect.stringContaining(root),
      });
    }
  });

  it('says so when digits fit several traces, or none', async () => {
    const { store, url } = await running();
    const [one, other] = [newTrace(), newTrace()];
    for (const { root } of [one, other]) store.segment(segment(root));
    const several = await run({ consoleUrl: url, id: '6561dad1' });
    expect(several).toMatchObject({ code: 1, output: '' });
    expect(several.said).toMatch(
      /^2 traces have an id that begins or ends with 6561dad1: [0-9a-f]{32}, [0-9a-f]{32}\.\n$/,
    );
    expect(await run({ consoleUrl: url, id: 'abcdef' })).toMatchObject({
      code: 1,
      said: 'No recent trace has an id that begins or ends with abcdef.\n',
    });
    expect(await run({ consoleUrl: url, id: `1-6561dad1-${'f'.repeat(24)}` })).toMatchObject({
      code: 1,
      said: `Nothing has been received of trace 1-6561dad1-${'f'.repeat(24)}.\n`,
    });
  });

  it('filters by --errors and --slow, and by both with --last', async () => {
    const { store, url } = await running();
    const [fine, slow, failed] = [newTrace(), newTrace(), newTrace()];
    const start = Date.now() / 1000 - 60;
    store.segment(segment(failed.root, { start_time: start, end_time: start + 0.01, fault: true }));
    store.segment(segment(slow.root, { start_time: start + 1, end_time: start + 1.7 }));
    store.segment(segment(fine.root, { start_time: start + 2, end_time: start + 2.01 }));
    const ids = async (options: Partial<TraceOptions>) =>
      (JSON.parse((await run({ consoleUrl: url, json: true, ...options })).output) as TraceSummary[]).map(
        ({ id }) => id,
      );
    expect(await ids({ errors: true })).toEqual([failed.id]);
    expect(await ids({ slow: 500 })).toEqual([slow.id]);
    expect(await ids({ slow: 0 })).toEqual([fine.id, slow.id, failed.id]);
    expect((await run({ consoleUrl: url, last: true, errors: true })).output).toContain(failed.root);
  });

  it('filters by --search, and says what it does not know', async () => {
    const { store, url } = await running();
    const [fine, failed] = [newTrace(), newTrace()];
    store.segment(segment(fine.root));
    store.segment(segment(failed.root, { fault: true }));
    const found = await run({ consoleUrl: url, json: true, search: 'is:failed route:/orders' });
    expect((JSON.parse(found.output) as TraceSummary[]).map(({ id }) => id)).toEqual([failed.id]);
    expect(await run({ consoleUrl: url, search: 'statsu:500' })).toMatchObject({
      code: 2,
      said: expect.stringMatching(/^--search: There is no field "statsu"/),
    });
  });

  it('prints by --json what the console gives, for machines', async () => {
    const { store, url } = await running();
    const { root, id } = newTrace();
    store.segment(segment(root));
    const { output } = await run({ consoleUrl: url, id, json: true });
    expect(JSON.parse(output) as Trace).toEqual(await (await fetch(`${url}/api/traces/${id}`)).json());
  });

  it('says how to make a first trace when there is none', async () => {
    const { url } = await running();
    expect(await run({ consoleUrl: url })).toMatchObject({
      code: 0,
      output: 'There is no trace yet. Send a request to http://127.0.0.1:3000.\n',
    });
    expect(await run({ consoleUrl: url, last: true })).toMatchObject({ code: 1, output: '' });
    expect(await run({ consoleUrl: url, json: true })).toMatchObject({ code: 0, output: '[]\n' });
    expect((await run({ consoleUrl: url, errors: true, slow: 5 })).output).toBe(
      'There is no trace with an error of 5 ms or more.\n',
    );
  });

  it('prints by --follow each trace once it has ended, one JSON text a line with --json, until it is interrupted', async () => {
    const { store, url } = await running();
    const interrupt = new AbortController();
    const lines: string[] = [];
    const following = run({
      consoleUrl: url,
      follow: true,
      json: true,
      errors: true,
      signal: interrupt.signal,
      output: { write: (text) => lines.push(text) },
    });
    await sleep(500);
    const [fine, failed] = [newTrace(), newTrace()];
    store.segment(segment(fine.root));
    store.segment(segment(failed.root, { fault: true }));
    while (lines.length === 0) await sleep(50);
    // More of a trace that was told already is no new line.
    store.log({
      source: 'function',
      timeMilliseconds: Date.now(),
      logGroup: 'g',
      logStream: 's',
      message: 'late',
      traceId: failed.id,
    });
    await sleep(600);
    interrupt.abort();
    expect(await following).toMatchObject({ code: 0, said: '' });
    expect(lines.map((line) => (JSON.parse(line) as TraceSummary).id)).toEqual([failed.id]);
  });

  it('ends --follow quietly when the run ends', async () => {
    const fixture = await startFixture(directory);
    const following = run({ consoleUrl: fixture.url, follow: true });
    await sleep(500);
    await fixture.stop();
    expect(await following).toMatchObject({ code: 0, said: '' });
  });
});

describe('sls trace when nothing runs', () => {
  it('reads the run that was kept last', async () => {
    const [first, second] = [newTrace(), newTrace()];
    await ended((store) => store.segment(segment(first.root)));
    await sleep(5);
    await ended((store) => store.segment(segment(second.root)));
    const { code, output } = await run({ last: true });
    expect(code).toBe(0);
    expect(output).toContain(second.root);
    expect((await run({})).output.trim().split('\n')).toHaveLength(1);
  });

  it('reads its own last run when what answers at the address is the console of another service', async () => {
    const other = await startFixture('/somewhere/else');
    closing.push(() => other.stop());
    const { root } = newTrace();
    await ended((store) => store.segment(segment(root)));
    expect((await run({ consoleUrl: other.url, last: true })).output).toContain(root);
  });

  it('says in one sentence that there is neither, and how to begin', async () => {
    expect(await run({})).toEqual({
      code: 1,
      output: '',
      said: `There is no trace yet in ${directory}: nothing runs at http://127.0.0.1:1, and no run has been kept. Start one with "npx sls local".\n`,
    });
  });

  it('says in one sentence that the last run cannot be read', async () => {
    await writeFile(await newRun(directory), 'no database');
    const { code, said } = await run({});
    expect(code).toBe(1);
    expect(said).toMatch(
      /^No run that was kept can be read\. Left out: .+ cannot be opened as a store of traces: [^\n]+\n$/,
    );
  });

  it('says in one sentence that the last run goes on at another port', async () => {
    const file = await newRun(directory);
    const holder = spawn(process.execPath, [
      fileURLToPath(new URL('../store/runs/hold-open.ts', import.meta.url)),
      file,
    ]);
    closing.push(async () => void holder.kill());
    await once(holder.stdout, 'data');
    expect((await run({})).said).toContain('its run has not ended. Name its console with --console-port.');
  });

  it('has nothing to follow', async () => {
    await ended((store) => store.segment(segment(newTrace().root)));
    expect(await run({ follow: true })).toMatchObject({ code: 1, said: expect.stringContaining('nothing to follow') });
  });
});

describe('options that make no sense', () => {
  it.each<[Partial<TraceOptions>, RegExp]>([
    [{ id: 'nonsense' }, /^"nonsense" is not a trace ID\. Use 32 hex digits/],
    [{ id: 'abc' }, /is not a trace ID/],
    [{ id: '\u001b[31m' }, /^"" is not a trace ID/],
    [{ slow: Number.NaN }, /^--slow takes milliseconds, such as --slow 500\./],
    [{ slow: -1 }, /^--slow takes milliseconds/],
    [{ id: 'f'.repeat(32), last: true }, /^Give an ID or --last, not both\./],
    [{ id: 'f'.repeat(32), follow: true }, /^Give an ID or --follow, not both\./],
    [{ search: 'text', last: true }, /^--search filters a list/],
    [{ last: true, follow: true }, /^Give --last or --follow, not both\./],
    [{ id: 'f'.repeat(32), errors: true }, /^--errors and --slow filter a list/],
  ])('%j: exit code 2 and one sentence', async (options, sentence) => {
    const { code, output, said } = await run(options);
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(said).toMatch(sentence);
    expect(said.trim().split('\n')).toHaveLength(1);
  });
});

describe('colours', () => {
  it('are for a terminal alone, and not for one whose user wants none', async () => {
    const { store, url } = await running();
    store.segment(segment(newTrace().root));
    const text = async (isTTY: boolean) => {
      let output = '';
      await run({ consoleUrl: url, last: true, output: { isTTY, columns: 100, write: (part) => (output += part) } });
      return output;
    };
    const before = process.env.NO_COLOR;
    process.env.NO_COLOR = '';
    expect(await text(false)).not.toContain('\u001b');
    expect(await text(true)).toContain('\u001b[');
    process.env.NO_COLOR = '1';
    expect(await text(true)).not.toContain('\u001b');
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
});
