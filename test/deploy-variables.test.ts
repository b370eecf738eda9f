import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';

const root = path.join(import.meta.dirname, '..');

it('takes from the shell every variable that the README lists for a deployment', async () => {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const files = [
    'serverless.yml',
    'stages/prod.yml',
    'resources/identity.yml',
    'resources/waf.cjs',
    'resources/domain.cjs',
  ];
  const template = (await Promise.all(files.map((file) => readFile(path.join(root, file), 'utf8')))).join('\n');
  const table = /## Deploy\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  const variables = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name),
  );

  expect(variables).toEqual(
    expect.arrayContaining(['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_TRACES_SAMPLER', 'ROLLBAR_ENDPOINT', 'TRACE_URL']),
  );
  expect(variables.filter((name) => !template.includes(`env:${name}, `))).toEqual([]);
});
