import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { bundleHandlers } from '../../src/bundle/bundle.ts';
import { findHandlerSource } from '../../src/bundle/sources.ts';
import { mapStacks } from '../../src/source-map/map-stacks.ts';
import { SourceMaps } from '../../src/source-map/source-maps.ts';
import type { Trace, TraceNode } from '../../src/trace/trace.ts';
import { lambda } from '../lambda/platform.ts';

const sampleSource = `interface Event {
  name: string;
}

export const handler = (event: Event): never => {
  const { name } = event;

  throw new RangeError(\`no \${name}\`);
};
`;

let service: string;
let bundle: string;
/** As V8 wrote it: the bundle's place of the throw. */
let stack: string;

beforeEach(async () => {
  service = await mkdtemp(path.join(tmpdir(), 'maps-'));
  onTestFinished(() => rm(service, { recursive: true, force: true }));
  await mkdir(path.join(service, 'handlers'));
  await writeFile(path.join(service, 'handlers/fail.ts'), sampleSource);
  const source = findHandlerSource(lambda({ handler: 'handlers/fail.handler' }), service);
  const directory = path.join(service, '.throughline/bundles');
  await bundleHandlers([source], directory, service);
  bundle = path.join(directory, 'handlers/fail.js');
  const script = `const { handler } = require(${JSON.stringify(bundle)}); try { handler({ name: 'x' }) } catch (e) { console.log(e.stack) }`;
  stack = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout;
});

function node(overrides: Partial<TraceNode>): TraceNode {
  return { exceptions: [], attributes: {}, children: [], ...overrides } as unknown as TraceNode;
}

function traceOf(roots: TraceNode[], messages: string[] = [], end = Date.now()): Trace {
  const logs = messages.map((message) => ({ message, time: end, logGroup: '/aws/lambda/x' }));
  return { end, roots, logs } as unknown as Trace;
}

function generatedLine(): number {
  return Number(/fail\.js:(\d+):/.exec(stack)?.[1]);
}

describe('the stacks of a trace', () => {
  it('lead to the source, with the lines around it', async () => {
    const frame = { path: bundle, line: generatedLine(), label: 'handler' };
    const failed = node({ exceptions: [{ type: 'RangeError', stack: [frame] }] });
    const mapped = await mapStacks(traceOf([node({ children: [failed] })], [stack]), new SourceMaps(service));
    expect(mapped.roots[0]?.children[0]?.exceptions[0]?.stack).toEqual([
      {
        path: 'handlers/fail.ts',
        line: 8,
        column: 9,
        label: 'handler',
        source: [
          { line: 6, text: '  const { name } = event;' },
          { line: 7, text: '' },
          { line: 8, text: '  throw new RangeError(`no ${name}`);' },
          { line: 9, text: '};' },
          { line: 10, text: '' },
        ],
      },
    ]);
    expect(mapped.logs[0]?.message).toMatch(/^RangeError: no x\n {4}at handler \(handlers\/fail\.ts:8:9\)\n/);
  });

  it('lead to the line where only the line is known', async () => {
    const failed = node({ exceptions: [{ stack: [{ path: bundle, line: generatedLine() }] }] });
    const mapped = await mapStacks(traceOf([failed]), new SourceMaps(service));
    expect(mapped.roots[0]?.exceptions[0]?.stack[0]).toMatchObject({ path: 'handlers/fail.ts', line: 8 });
  });

  it('are mapped in the attributes of a span, and inside the JSON of a log line', async () => {
    const event = { 'exception.stacktrace': stack };
    const events = [{ time: 1, name: 'exception', attributes: event }];
    const line = JSON.stringify({ level: 'ERROR', stack: stack.split('\n') });
    const mapped = await mapStacks(traceOf([node({ attributes: { event }, events })], [line]), new SourceMaps(service));
    expect(JSON.stringify(mapped.roots[0]?.attributes)).toContain('handlers/fail.ts:8:9');
    expect(JSON.stringify(mapped.roots[0]?.events)).toContain('handlers/fail.ts:8:9');
    expect(JSON.parse(mapped.logs[0]?.message ?? '').stack[1]).toBe('    at handler (handlers/fail.ts:8:9)');
  });

  it('stay as they were sent where the map belongs to later code', async () => {
    const later = new Date(Date.now() + 60_000);
    await utimes(`${bundle}.map`, later, later);
    const trace = traceOf([], [stack]);
    expect(await mapStacks(trace, new SourceMaps(service))).toEqual(trace);
  });

  it('still lead to the code that ran, after it has been built anew', async () => {
    const maps = new SourceMaps(service);
    const before = traceOf([], [stack]);
    await mapStacks(before, maps);
    await writeFile(path.join(service, 'handlers/fail.ts'), `// one\n// two\n${sampleSource}`);
    const source = findHandlerSource(lambda({ handler: 'handlers/fail.handler' }), service);
    await bundleHandlers([source], path.join(service, '.throughline/bundles'), service);
    const later = new Date(Date.now() + 60_000);
    await utimes(`${bundle}.map`, later, later);
    expect((await mapStacks(before, maps)).logs[0]?.message).toContain('fail.ts:8:9');
    expect((await mapStacks({ ...before, end: later.getTime() }, maps)).logs[0]?.message).toContain('fail.ts:10:9');
  });

  it('of files outside the service are not looked for', async () => {
    const trace = traceOf([], [stack]);
    expect(await mapStacks(trace, new SourceMaps(path.join(service, 'handlers')))).toEqual(trace);
  });

  it('of another bundler lead to the source by the map that the bundle names, inline or in a file', async () => {
    const map = await readFile(`${bundle}.map`);
    await rm(`${bundle}.map`);
    await writeFile(`${bundle}.js.map`, map);
    const code = await readFile(bundle, 'utf8');
    for (const url of ['fail.js.js.map', `data:application/json;base64,${map.toString('base64')}`]) {
      await writeFile(bundle, `${code}\n//# sourceMappingURL=${url}\n`);
      const mapped = await mapStacks(traceOf([], [stack], Date.now() + 1000), new SourceMaps(service));
      expect(mapped.logs[0]?.message).toContain('handlers/fail.ts:8:9');
    }
  });
});

it('lead to the source of each function, where a minified bundle has several in one line', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'maps-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const text = `const inner = (): never => {
  throw new Error('inner');
};
const outer = (): void => {
  inner();
};
export const handler = (): void => {
  outer();
};
`;
  await mkdir(path.join(folder, 'handlers'));
  await writeFile(path.join(folder, 'handlers/fail.ts'), text);
  const source = findHandlerSource(lambda({ handler: 'handlers/fail.handler' }), folder);
  const directory = path.join(folder, '.throughline/bundles');
  await bundleHandlers([source], directory, folder, { minifyWhitespace: true, minifySyntax: true, lineLimit: 200 });
  const file = path.join(directory, 'handlers/fail.js');
  const script = `try { require(${JSON.stringify(file)}).handler() } catch (e) { console.log(e.stack) }`;
  const thrown = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout;
  const frames = [...thrown.matchAll(/at (\S+) \(.*fail\.js:(\d+):\d+\)/g)].map(([, label, line]) => ({
    path: file,
    line: Number(line),
    label,
  }));
  expect(frames.map(({ label }) => label)).toEqual(['inner', 'outer', 'Object.handler']);
  expect(new Set(frames.map(({ line }) => line)).size).toBe(1);
  const failed = node({ exceptions: [{ type: 'Error', stack: frames }] } as unknown as Partial<TraceNode>);
  const mapped = await mapStacks(traceOf([failed], [thrown]), new SourceMaps(folder));

  expect(mapped.roots[0]?.exceptions[0]?.stack.map((frame) => `${frame.path}:${frame.line}:${frame.column}`)).toEqual([
    'handlers/fail.ts:2:9',
    'handlers/fail.ts:5:3',
    'handlers/fail.ts:8:3',
  ]);
});
