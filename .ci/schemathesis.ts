/**
 * Runs schemathesis (PyPI) on the API over HTTP, against docs/openapi.json: `node
 * .ci/schemathesis.ts <its program>`. Ends with its exit code. Checks that the contract contradicts
 * are switched off by name.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startLocal } from '../bench/local-process.ts';
import document from '../docs/openapi.json' with { type: 'json' };

const excluded = {
  unsupported_method: 'A REST API cannot answer 405: an unknown method is an unknown route, 404.',
  ensure_resource_availability: "It guesses that a message's uuid names a conversation.",
  positive_data_acceptance: 'A cursor is valid only where it was issued, which a schema cannot say: 422.',
};

const program = process.argv[2] ?? 'schemathesis';
const local = await startLocal();
const directory = await mkdtemp(path.join(tmpdir(), 'schemathesis-'));
const description = path.join(directory, 'openapi.json');
await writeFile(description, JSON.stringify(withoutSecurity(document)));
const options = [
  '--url',
  local.api,
  '--exclude-checks',
  Object.keys(excluded).join(','),
  '--max-examples',
  '20',
  '--seed',
  '1',
];
try {
  // rollbar-test?error=1 is a fault on purpose.
  const child = spawn(program, ['run', description, '--exclude-operation-id', 'rollbar-test', ...options], {
    // It writes a folder of its own where it runs.
    cwd: directory,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
} finally {
  await local.stop();
  await rm(directory, { recursive: true, force: true });
}

/** Locally every request is from the default user, so no operation asks for a token. */
function withoutSecurity<Paths extends Record<string, Record<string, object>>>(described: { paths: Paths }) {
  const paths = Object.entries(described.paths).map(([route, methods]) => [
    route,
    Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, { ...operation, security: [] }])),
  ]);
  return { ...described, paths: Object.fromEntries(paths) };
}
