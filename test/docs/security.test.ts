import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectDirectory } from '../sls.ts';

const read = (file: string) => readFileSync(path.join(projectDirectory, file), 'utf8');
const rows = read('docs/security.md')
  .split('\n')
  .filter((line) => /^\| API\d/.test(line));

it('names the ten risks of OWASP', () => {
  expect(rows.map((row) => /API\d+/.exec(row)?.[0])).toEqual(
    Array.from({ length: 10 }, (_, index) => `API${index + 1}`),
  );
});

it.each(rows)('names tests that exist: %s', (row) => {
  const named = [...row.matchAll(/`(test\/[\w./-]+)`: ((?:"[^"]+"(?:, )?)+)/g)];
  expect(named.length).toBeGreaterThan(0);
  for (const [, file = '', titles = ''] of named) {
    const source = read(file);
    for (const [, title = ''] of titles.matchAll(/"([^"]+)"/g)) expect(source).toContain(title);
  }
});
