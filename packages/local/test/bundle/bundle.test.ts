import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleHandlers } from '../../src/bundle/bundle.ts';
import { findHandlerSource, handlerStem } from '../../src/bundle/sources.ts';
import type { LocalFunction } from '../../src/service/model.ts';

let directory: string;
const write = (file: string, text: string) => writeFileSync(path.join(directory, file), text);

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'throughline-bundle-'));
  write('shared.ts', 'export const greeting: string = "hello";');
  write('one.ts', 'import { greeting } from "./shared.ts"; export const handler = async () => greeting;');
  write('two.ts', 'export const handler = async () => 2;');
});

afterEach(() => rmSync(directory, { recursive: true }));

function lambda(key: string, handler = `${key}.handler`): LocalFunction {
  const limits = { runtime: 'nodejs24.x', memoryMegabytes: 128, timeoutSeconds: 3, tracing: 'Active' } as const;
  return { key, name: key, handler, environment: {}, layers: [], routes: [], ...limits };
}

async function bundle(...keys: string[]): Promise<void> {
  const sources = keys.map((key) => findHandlerSource(lambda(key), directory));
  await bundleHandlers(sources, path.join(directory, 'out'), directory);
}

describe('bundling', () => {
  it('makes one CommonJS file of each handler, whose handler property instrumentation can redefine', async () => {
    await bundle('one', 'two');
    expect(readdirSync(path.join(directory, 'out')).sort()).toEqual([
      'one.js',
      'one.js.map',
      'package.json',
      'two.js',
      'two.js.map',
    ]);
    const script = `
      const module = require(${JSON.stringify(path.join(directory, 'out', 'one.js'))});
      Object.defineProperty(module, 'handler', { value: module.handler, configurable: true });
      module.handler().then(console.log);`;
    expect(execFileSync(process.execPath, ['-e', script]).toString()).toBe('hello\n');
  });

  it('names the place that does not build, and leaves what was built and nothing else', async () => {
    await bundle('one');
    const before = readFileSync(path.join(directory, 'out', 'one.js'), 'utf8');
    write('one.ts', 'export const handler = async () => {\n  return (;\n};');
    await expect(bundle('one')).rejects.toThrow(
      /^The handlers do not build: one\.ts:2:11: Unexpected ";"\n {2}2 \| {3}return \(;\n {16}\^$/,
    );
    expect(readFileSync(path.join(directory, 'out', 'one.js'), 'utf8')).toBe(before);
    expect(readdirSync(directory).sort()).toEqual(['one.ts', 'out', 'shared.ts', 'two.ts']);
  });

  const run = (file: string) =>
    execFileSync(process.execPath, [
      ...['--input-type=module', '-e'],
      `import(${JSON.stringify(path.join(directory, 'out', file))}).then(async (m) => console.log(await m.handler()))`,
    ]).toString();

  it('takes import.meta, also where the package of the service says "module"', async () => {
    write('package.json', '{ "type": "module" }');
    write('one.ts', 'export const handler = async () => [import.meta.url, import.meta.dirname, __dirname].join();');
    await bundle('one');
    const out = path.join(directory, 'out');
    expect(run('one.js')).toBe(`file://${out}/one.js,${out},${out}\n`);
  });

  it('makes an ES module where a handler awaits at its top, and CommonJS of the others', async () => {
    write(
      'one.ts',
      'import os from "node:os"; const t = await Promise.resolve(os.EOL && 7); export const handler = async () => t;',
    );
    await bundle('one', 'two');
    expect(run('one.mjs')).toBe('7\n');
    expect(run('two.js')).toBe('2\n');
  });

  it('has one copy of a package that is both CommonJS and ES modules', async () => {
    const files = {
      'g/package.json': '{ "name": "g", "main": "index.js", "module": "index.mjs" }',
      'g/index.js': "exports.K = require('./k').K;",
      'g/index.mjs': "export { K } from './k.mjs';",
      'g/k.js': 'exports.K = class K {};',
      'g/k.mjs': 'export class K {};',
      'g/sub.js': "const { K } = require('./k'); exports.isK = (x) => x instanceof K;",
    };
    mkdirSync(path.join(directory, 'node_modules/g'), { recursive: true });
    for (const [name, text] of Object.entries(files)) write(`node_modules/${name}`, text);
    write(
      'one.ts',
      "import { K } from 'g'; import { isK } from 'g/sub'; export const handler = async () => isK(new K());",
    );
    await bundle('one');
    expect(run('one.js')).toBe('true\n');
  });

  it('emits decorator metadata where tsconfig.json asks for it', async () => {
    write('tsconfig.json', '{ "compilerOptions": { "experimentalDecorators": true, "emitDecoratorMetadata": true } }');
    write(
      'one.ts',
      `const seen: unknown[] = [];
      Object.assign(Reflect, { metadata: (key: string, value: unknown) => () => void seen.push(key, value) });
      const injectable = (target: unknown) => void target;
      class Dep {}
      @injectable class A { constructor(public dep: Dep) {} }
      export const handler = async () => [typeof A, seen[0], (seen[1] as { name: string }[]).map(({ name }) => name)].join();`,
    );
    await bundle('one');
    expect(run('one.js')).toBe('function,design:paramtypes,Dep\n');
  });

  it('says each warning of esbuild with its file and line', async () => {
    write('one.ts', 'export const handler = async () => (typeof process === "nubmer");');
    const sources = [findHandlerSource(lambda('one'), directory)];
    const warnings = await bundleHandlers(sources, path.join(directory, 'out'), directory);
    expect(warnings).toEqual([expect.stringMatching(/^one\.ts:1:\d+: .*typeof/)]);
  });

  it('can be done by many at once for the same handler', async () => {
    await Promise.all(Array.from({ length: 5 }, () => bundle('one', 'two')));
    expect(readFileSync(path.join(directory, 'out', 'one.js'), 'utf8')).toContain('hello');
  });
});

describe('finding a handler', () => {
  it('says which function has no file', () => {
    expect(() => findHandlerSource(lambda('home', 'handlers/home.handler'), directory)).toThrow(
      /^functions\.home\.handler is "handlers\/home\.handler", but there is no file handlers\/home ending in \.ts/,
    );
  });

  it.each([
    ['handlers/home.handler', 'handlers/home'],
    ['home.handler', 'home'],
    ['a.b/home.nested.handler', 'a.b/home'],
  ])('cuts %s at the first dot of its last segment', (handler, stem) => {
    expect(handlerStem(handler)).toBe(stem);
  });
});
