import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { variables } from '../fixtures/cruddur/in-process.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Loads a handler in a process of its own, as Lambda does at INIT. */
async function load(key: string, environment: Record<string, string>): Promise<string> {
  const script = `import('./handlers/${key}.ts').then(() => console.log('loaded'), (error) => console.log(error.message))`;
  const { PATH, NODE_OPTIONS } = process.env;
  const env = { PATH, NODE_OPTIONS, ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: root, env });
  return stdout.trim();
}

describe('a function that is not configured', () => {
  const complete = variables('http://127.0.0.1:9');

  it('loads when everything is set', async () => {
    expect(await load('home', complete)).toBe('loaded');
  });

  it.each(['TABLE_NAME', 'FRONTEND_URL', 'CURSOR_SECRET'])(
    'says at INIT that %s is missing, also when it is blank',
    async (key) => {
      const { [key]: _, ...without } = complete;
      expect(await load('home', without)).toBe(`The environment variable ${key} is missing or blank.`);
      expect(await load('home', { ...complete, [key]: ' ' })).toBe(
        `The environment variable ${key} is missing or blank.`,
      );
    },
  );

  it('names a secret that is too short', async () => {
    expect(await load('home', { ...complete, CURSOR_SECRET: 'short' })).toMatch(/CURSOR_SECRET is too short/);
  });

  it('does not require a table or secret that it does not use', async () => {
    const { TABLE_NAME: _, CURSOR_SECRET: __, ...without } = complete;
    expect(await load('health', without)).toBe('loaded');
  });
});
