import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Code, type CodeChange, createCode } from '../../src/bundle/code.ts';
import type { LocalFunction, LocalService } from '../../src/service/model.ts';

let directory: string;
let code: Code | undefined;
let changes: CodeChange[];
let warnings: string[];
const write = (file: string, text: string) => writeFileSync(path.join(directory, file), text);

function lambda(key: string): LocalFunction {
  const limits = { runtime: 'nodejs24.x', memoryMegabytes: 128, timeoutSeconds: 3, tracing: 'Active' } as const;
  return { key, name: key, handler: `${key}.handler`, environment: {}, layers: [], routes: [], ...limits };
}

async function watched(...keys: string[]): Promise<Code> {
  return watchedService({}, ...keys);
}

async function watchedService(more: Partial<LocalService>, ...keys: string[]): Promise<Code> {
  const service: LocalService = {
    name: 'any',
    stage: 'dev',
    region: 'us-east-1',
    directory,
    functions: keys.map(lambda),
    gateway: { name: 'dev-any', tracing: false, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
    ...more,
  };
  code = await createCode(service, {
    onChange: (change) => changes.push(change),
    onWarning: (warning) => warnings.push(warning),
  });
  return code;
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'throughline-code-'));
  changes = [];
  warnings = [];
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
    expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.js'), 'utf8')).toContain('first');
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
      expect(readFileSync(path.join(first ?? '', 'one.js'), 'utf8')).toContain(word);
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
    expect(readFileSync(path.join(await directoryOf(lambda('two')), 'two.js'), 'utf8')).toContain('222');
  });

  it('names a package that is missing, and leaves it to the function that needs it', async () => {
    const { directoryOf } = await watched('two');
    write('two.ts', 'import tea from "no-such-tea"; export const handler = async () => tea;');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['two'] }]);
    const bundle = readFileSync(path.join(await directoryOf(lambda('two')), 'two.js'), 'utf8');
    expect(bundle).toContain('require("no-such-tea")');
    expect(warnings).toEqual([
      expect.stringMatching(/^two\.ts:1:17: "no-such-tea" stays outside the bundle: it is not installed\./),
    ]);
  });

  it('is new for every JavaScript function when any JavaScript changes, as nobody says who requires it', async () => {
    await watched('one', 'plain');
    write('library.js', 'exports.x = 1;');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['plain'] }]);
  });

  it('is refused while it does not build, with the place and the line, and is new when it builds again', async () => {
    const { directoryOf, failures } = await watched('one', 'plain');
    write('word.ts', 'export const word = ;');
    await expect.poll(() => changes, { timeout: 20_000 }).toHaveLength(1);
    const reason = /^The handlers do not build: word\.ts:1:21: .*\n {2}1 \| export const word = ;\n +\^$/;
    expect(changes[0]).toEqual({ keys: ['one'], failure: expect.stringMatching(reason) });
    expect(failures()).toEqual([{ functionKey: 'one', message: expect.stringMatching(reason) }]);
    await expect(directoryOf(lambda('one'))).rejects.toThrow(reason);
    write('word.ts', 'export const word = "third";');
    await expect.poll(() => changes.at(-1), { timeout: 20_000 }).toEqual({ keys: ['one'] });
    expect(failures()).toEqual([]);
    expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.js'), 'utf8')).toContain('third');
  });

  it('runs the other functions when one does not build or has no file', async () => {
    write('two.ts', 'export const handler = (;');
    const { directoryOf } = await watched('one', 'two', 'absent');
    expect(changes.map(({ keys }) => keys.join()).sort()).toEqual(['absent', 'two']);
    expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.js'), 'utf8')).toContain('first');
    await expect(directoryOf(lambda('two'))).rejects.toThrow(/two\.ts:1:25/);
    await expect(directoryOf(lambda('absent'))).rejects.toThrow(/functions\.absent\.handler/);
  });

  it('follows a file outside the folder of the service, and a linked package', async () => {
    const outside = mkdtempSync(path.join(tmpdir(), 'throughline-outside-'));
    try {
      for (const name of ['shared', 'linked']) mkdirSync(path.join(outside, name));
      writeFileSync(path.join(outside, 'shared/word.ts'), 'export const word: string = "outside";');
      writeFileSync(path.join(outside, 'linked/package.json'), '{ "name": "linked", "main": "index.ts" }');
      writeFileSync(path.join(outside, 'linked/index.ts'), 'export const linked: string = "linked";');
      mkdirSync(path.join(directory, 'node_modules'));
      symlinkSync(path.join(outside, 'linked'), path.join(directory, 'node_modules/linked'));
      const shared = path.relative(directory, path.join(outside, 'shared/word.ts'));
      write('one.ts', `import { word } from "${shared}"; export const handler = async () => word;`);
      write('two.ts', 'import { linked } from "linked"; export const handler = async () => linked;');
      const { directoryOf } = await watched('one', 'two');
      writeFileSync(path.join(outside, 'shared/word.ts'), 'export const word: string = "edited";');
      await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['one'] }]);
      writeFileSync(path.join(outside, 'linked/index.ts'), 'export const linked: string = "relinked";');
      await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['one'] }, { keys: ['two'] }]);
      expect(readFileSync(path.join(await directoryOf(lambda('one')), 'one.js'), 'utf8')).toContain('edited');
      expect(readFileSync(path.join(await directoryOf(lambda('two')), 'two.js'), 'utf8')).toContain('relinked');
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('has the files of package.patterns beside it, and is new when one of them changes', async () => {
    mkdirSync(path.join(directory, 'templates'));
    write('templates/a.html', 'hi');
    write('templates/b.txt', 'no');
    const { directoryOf } = await watchedService({ packagePatterns: ['templates/**', '!**/*.txt'] }, 'one');
    const root = await directoryOf(lambda('one'));
    expect(readFileSync(path.join(root, 'templates/a.html'), 'utf8')).toBe('hi');
    expect(existsSync(path.join(root, 'templates/b.txt'))).toBe(false);
    write('templates/a.html', 'ho');
    await expect.poll(() => changes, { timeout: 20_000 }).toEqual([{ keys: ['one'] }]);
    expect(readFileSync(path.join(root, 'templates/a.html'), 'utf8')).toBe('ho');
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
