import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleHandlers } from '../../../local/build/bundle.ts';
import { findHandlerSource, handlerStem } from '../../../local/build/sources.ts';
import type { LocalFunction } from '../../../local/service/model.ts';

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
    expect(readdirSync(path.join(directory, 'out')).sort()).toEqual(['one.cjs', 'two.cjs']);
    const script = `
      const module = require(${JSON.stringify(path.join(directory, 'out', 'one.cjs'))});
      Object.defineProperty(module, 'handler', { value: module.handler, configurable: true });
      module.handler().then(console.log);`;
    expect(execFileSync(process.execPath, ['-e', script]).toString()).toBe('hello\n');
  });

  it('names the place that does not build, and leaves what was built and nothing else', async () => {
    await bundle('one');
    const before = readFileSync(path.join(directory, 'out', 'one.cjs'), 'utf8');
    write('one.ts', 'export const handler = async () => {\n  return (;\n};');
    await expect(bundle('one')).rejects.toThrow(/^The handlers do not build: one\.ts:2:11: Unexpected ";"$/);
    expect(readFileSync(path.join(directory, 'out', 'one.cjs'), 'utf8')).toBe(before);
    expect(readdirSync(directory).sort()).toEqual(['one.ts', 'out', 'shared.ts', 'two.ts']);
  });

  it('can be done by many at once for the same handler', async () => {
    await Promise.all(Array.from({ length: 5 }, () => bundle('one', 'two')));
    expect(readFileSync(path.join(directory, 'out', 'one.cjs'), 'utf8')).toContain('hello');
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
