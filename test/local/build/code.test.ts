import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Code, type CodeChange, createCode } from '../../../local/build/code.ts';
import type { LocalFunction, LocalService } from '../../../local/service/model.ts';

let directory: string;
let code: Code | undefined;
let changes: CodeChange[];
const write = (file: string, text: string) => writeFileSync(path.join(directory, file), text);

function lambda(key: string): LocalFunction {
  const limits = { runtime: 'nodejs24.x', memoryMegabytes: 128, timeoutSeconds: 3, tracing: 'Active' } as const;
  return { key, name: key, handler: `${key}.handler`, environment: {}, layers: [], routes: [], ...limits };
}

async function watched(...keys: string[]): Promise<Code> {
  const service: LocalService = {
    name: 'any',
    stage: 'dev',
    region: 'us-east-1',
    directory,
    functions: keys.map(lambda),
    gateway: { name: 'dev-any', tracing: false, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, xray: 0, dynamodb: 0 }, environment: {} },
  };
  code = await createCode(service, (change) => changes.push(change));
  return code;
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'throughline-code-'));
  changes = [];
  write('one.ts', 'import { word } from "./word.ts"; export const handler = async () => word;');
  write('word.ts', 'export const word: string = "first";');
  write('two.ts', 'export const handler = async () => 2;');
  write('plain.js', 'exports.handler = async () => 3;');
});

afterEach(async () => {
  await code?.stop();
  rmSync(directory, { recursive: true });
});

describe('the code of a service', () => {
  it('is a bundle where it is TypeScript, and the folder of the service where it is JavaScript', async () => {
    const { directoryOf } = await watched('one', 'plain');
    expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.cjs'), 'utf8')).toContain('first');
    expect(await directoryOf(lambda('plain'))).toBe(directory);
  });

  it('is new for the functions that a changed file went into, and for no other', async () => {
    await watched('one', 'two', 'plain');
    write('word.ts', 'export const word: string = "second";');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['one'] }]);
  });

  it('is what was last saved when a function is started, however many asked for it at once', async () => {
    const { directoryOf } = await watched('one', 'two');
    for (const word of ['second', 'third']) {
      write('word.ts', `export const word: string = "${word}";`);
      await expect.poll(() => changes.length, { timeout: 20_000 }).toBeGreaterThan(0);
      const [first] = await Promise.all(Array.from({ length: 5 }, () => directoryOf(lambda('one'))));
      expect(readFileSync(path.join(first ?? '', 'one.cjs'), 'utf8')).toContain(word);
      changes.length = 0;
    }
  });

  it('follows a file that a handler has begun to import', async () => {
    const { directoryOf } = await watched('one', 'two');
    write('new.ts', 'export const two: number = 22;');
    write('two.ts', 'import { two } from "./new.ts"; export const handler = async () => two;');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['two'] }]);
    write('new.ts', 'export const two: number = 222;');
    await expect.poll(() => changes, { timeout: 20_000 }).toHaveLength(2);
    expect(readFileSync(path.join(await directoryOf(lambda('two')), 'two.cjs'), 'utf8')).toContain('222');
  });

  it('stays as it was while a package that it needs is missing, and says which', async () => {
    const { directoryOf } = await watched('two');
    write('two.ts', 'import tea from "no-such-tea"; export const handler = async () => tea;');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['two'] }]);
    const before = readFileSync(path.join(await directoryOf(lambda('two')), 'two.cjs'), 'utf8');
    expect(before).not.toContain('tea');
    expect(changes[1]).toEqual({ failure: expect.stringContaining('Could not resolve "no-such-tea"') });
  });

  it('is new for every JavaScript function when any JavaScript changes, as nobody says who requires it', async () => {
    await watched('one', 'plain');
    write('library.js', 'exports.x = 1;');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['plain'] }]);
  });

  it('stays as it was while it does not build, says why, and is new when it does again', async () => {
    const { directoryOf } = await watched('one');
    write('word.ts', 'export const word = ;');
    await expect.poll(() => changes, { timeout: 20_000 }).toHaveLength(1);
    expect(changes[0]).toEqual({ failure: expect.stringMatching(/^The handlers do not build: word\.ts:1:21: /) });
    expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.cjs'), 'utf8')).toContain('first');
    write('word.ts', 'export const word = "third";');
    await expect.poll(() => changes.at(-1), { timeout: 20_000 }).toEqual({ keys: ['one'] });
  });

  it('does not change when a module or a run is written', async () => {
    await watched('one', 'plain');
    for (const ignored of ['node_modules', '.throughline']) {
      mkdirSync(path.join(directory, ignored), { recursive: true });
      cpSync(path.join(directory, 'plain.js'), path.join(directory, ignored, 'index.js'));
    }
    // Something that counts comes after them: when it has been seen, they would have been.
    write('word.ts', 'export const word: string = "last";');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['one'] }]);
  });
});
