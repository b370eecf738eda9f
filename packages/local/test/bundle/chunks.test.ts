import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleHandlers } from '../../src/bundle/bundle.ts';
import { chunkFilesOf } from '../../src/bundle/chunks.ts';
import { findHandlerSource } from '../../src/bundle/sources.ts';
import { lambda } from '../lambda/platform.ts';

describe('a package that is a chunk', () => {
  let directory: string;
  const out = (file: string): string => path.join(directory, 'out', file);
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'throughline-chunks-'));
    write('node_modules/large/package.json', '{ "name": "large", "type": "module", "exports": { ".": "./index.js" } }');
    write(
      'node_modules/large/index.js',
      'console.log("read"); export const used = "used"; export const unused = "left";',
    );
    write('node_modules/old/index.js', 'module.exports = function old() { return "old"; };');
    write('part.ts', 'export { used } from "large";');
    write('handlers/plain.ts', 'export const handler = async () => 1;');
    write(
      'handlers/one.ts',
      `export const handler = async (name: string) =>
        name === 'old' ? (await import('old')).default() : (await import('large')).used;`,
    );
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const bundle = (chunks: Record<string, string>): Promise<string[]> =>
    bundleHandlers(
      ['one', 'plain'].map((key) => findHandlerSource(lambda({ key, handler: `handlers/${key}.handler` }), directory)),
      path.join(directory, 'out'),
      directory,
      { chunks },
    );
  /** What a process prints that loads the handler and calls it, with nothing but the output. */
  function run(...names: string[]): string {
    rmSync(path.join(directory, 'node_modules'), { recursive: true, force: true });
    const calls = names.map((name) => `console.log(await handler('${name}'))`).join('; ');
    const script = `const { handler } = require(${JSON.stringify(out('handlers/one.js'))}); (async () => { ${calls} })()`;
    return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  }

  it('is outside the bundle, and read when it is first imported, ES module or not', async () => {
    await bundle({ large: 'large', old: 'old' });

    expect(readFileSync(out('handlers/one.js'), 'utf8')).not.toContain('"read"');
    expect(run()).toBe('');
    expect(run('large', 'old', 'large')).toBe('read\nused\nold\nused\n');
  });

  it('may be a part of the package, which another module exports', async () => {
    await bundle({ large: './part.ts' });

    expect(readFileSync(out('node_modules/large/index.js'), 'utf8')).not.toContain('left');
    expect(run('large')).toBe('read\nused\n');
  });

  it('is in the zips of those functions alone that may load it', async () => {
    await bundle({ large: 'large' });

    expect(await chunkFilesOf(out('handlers/plain.js'), { large: 'large' })).toEqual([]);
    const files = await chunkFilesOf(out('handlers/one.js'), { large: 'large' });
    expect(files).toEqual(['node_modules/large/index.js', 'node_modules/large/package.json']);
    for (const file of files) expect(statSync(out(file)).isFile()).toBe(true);
  });

  it('that is not installed is named, with what asked for it', async () => {
    await expect(bundle({ missing: 'missing' })).rejects.toThrow(/The handlers do not build: .*missing/);
  });
});
