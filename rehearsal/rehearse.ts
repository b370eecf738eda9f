/**
 * `npm run rehearse`: everything that a deploy to AWS does, on emulators, up to requests at the
 * API's URL. Python 3 installs the emulators below `.throughline/real-parts/`; where it cannot, the
 * rehearsal says so and is skipped.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { type Emulator, installEmulators, startMinistack, startMoto } from './emulators.ts';
import { lintPolicies } from './policies.ts';
import { createIssuer } from './token.ts';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, '.throughline', 'real-parts', 'emulators');
const bin = path.join(root, 'node_modules', '.bin');
const leftOut = JSON.parse(readFileSync(path.join(import.meta.dirname, 'left-out.json'), 'utf8'));
const issuer = createIssuer();
const origin = 'https://rehearsal.example';
const settings = {
  FRONTEND_URL: origin,
  IDENTITY_ISSUER: issuer.issuer,
  IDENTITY_AUDIENCE: issuer.audience,
  IDENTITY_JWKS: JSON.stringify(issuer.jwks),
};

type Variables = Record<string, string | undefined>;

/**
 * Runs a program to its end; its output goes into the error if it does not exit with `expected`.
 */
async function run(program: string, args: string[], variables: Variables, expected = 0): Promise<string> {
  const child = spawn(path.join(bin, program), args, {
    cwd: root,
    env: { ...process.env, ...settings, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (code === expected) return stdout + stderr;
  throw new Error(`${program} ${args.join(' ')} exited with ${code} instead of ${expected}:\n${stdout}${stderr}`);
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  console.log(`  ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}

function expect(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`Rehearsal: ${sentence}`);
}

function aws({ url }: Emulator, emulator: string): Variables {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'rehearsal',
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    AWS_REGION: 'us-east-1',
    REHEARSAL_EMULATOR: emulator,
    SLS_TELEMETRY_DISABLED: '1',
  };
}

/** @returns the address of a stage's API on ministack, from what `sls info` says. */
async function apiOf(emulator: Emulator, variables: Variables, stage: string): Promise<string> {
  const info = await run('sls', ['info', '--stage', stage], variables);
  const id = /https:\/\/([a-z0-9]+)\.execute-api/.exec(info)?.[1];
  if (!id) throw new Error(`sls info names no endpoint:\n${info}`);
  return `${emulator.url}/_aws/execute-api/${id}/${stage}`;
}

async function status(url: string, token?: string): Promise<number> {
  return (await fetch(url, token ? { headers: { authorization: `Bearer ${token}` } } : {})).status;
}

async function onMinistack(emulator: Emulator): Promise<void> {
  const variables = aws(emulator, 'ministack');
  const sls = (args: string[], expected = 0, more: Variables = {}) =>
    run('sls', args, { ...variables, ...more }, expected);
  const stage = ['--stage', 'rehearsal'];

  await step('a deploy without the cursor secret is refused, with the command that sets it', async () => {
    expect(
      (await sls(['deploy', ...stage], 1)).includes('npx throughline secrets set CURSOR_SECRET'),
      'no command is named',
    );
  });
  await step('throughline secrets set', () =>
    run('throughline', ['secrets', 'set', 'CURSOR_SECRET', ...stage, '--generate'], variables),
  );
  await step('sls deploy', () => sls(['deploy', ...stage]));
  const api = await apiOf(emulator, variables, 'rehearsal');
  await step('the seed', () => run('node', ['src/seed.ts'], { ...variables, TABLE_NAME: 'cruddur-rehearsal' }));
  await step("the API's contract at its URL", () => {
    const skipped = Object.keys(leftOut.ministack.tests).join('|');
    for (const [test, reason] of Object.entries(leftOut.ministack.tests))
      console.log(`    left out: "${test}", ${reason}`);
    return run('vitest', ['run', 'test/acceptance/deployed.test.ts', '--testNamePattern', `^(?!.*(${skipped})).*$`], {
      ...variables,
      DEPLOYED_URL: api,
      DEPLOYED_ORIGIN: origin,
      DEPLOYED_TOKEN: issuer.token('andrewbrown'),
    });
  });
  await step('sls invoke', async () => {
    const answer = await sls(['invoke', '-f', 'home', '-p', 'events/home/ok.json', ...stage]);
    expect(answer.includes('"statusCode": 200'), `sls invoke answered ${answer}`);
  });
  await step('sls logs', async () => {
    expect(
      (await sls(['logs', '-f', 'home', ...stage])).includes('xray_trace_id'),
      'sls logs has no line with a trace id',
    );
  });
  await step('a changed deploy', () => sls(['deploy', ...stage], 0, { RELEASE: 'changed' }));
  await step('a failed deploy leaves the API as it is', async () => {
    // Without the list of what ministack lacks, its CloudFormation refuses the alarms.
    await sls(['deploy', ...stage], 1, { REHEARSAL_EMULATOR: '', RELEASE: 'failed' });
    expect((await status(`${api}/api/activities/home`)) === 200, 'the API does not answer after a failed deploy');
  });
  await step('sls rollback', async () => {
    const [timestamp] = /Timestamp: (\d+)/.exec(await sls(['deploy', 'list', ...stage]))?.slice(1) ?? [];
    await sls(['rollback', '--timestamp', String(timestamp), ...stage]);
    expect((await status(`${api}/api/activities/home`)) === 200, 'the API does not answer after a rollback');
  });
  await step('sls remove', () => sls(['remove', ...stage]));
  await step('sls deploy again', async () => {
    await sls(['deploy', ...stage]);
    const again = await apiOf(emulator, variables, 'rehearsal');
    expect((await status(`${again}/api/health-check`)) === 200, 'the API does not answer after a removal and a deploy');
  });

  await step('prod: a first deploy that fails, and one that does not', async () => {
    await run('throughline', ['secrets', 'set', 'CURSOR_SECRET', '--stage', 'prod', '--generate'], variables);
    await sls(['deploy', '--stage', 'prod'], 1, { REHEARSAL_EMULATOR: '' });
    await sls(['remove', '--stage', 'prod']).catch(() => {});
    await sls(['deploy', '--stage', 'prod']);
  });
  const prod = await apiOf(emulator, variables, 'prod');
  await step('prod: health, feed, identity, and no route that tests Rollbar', async () => {
    const statuses = [
      await status(`${prod}/api/health-check`),
      await status(`${prod}/api/activities/home`),
      await status(`${prod}/api/message_groups`),
      await status(`${prod}/api/message_groups`, issuer.token('worf')),
      await status(`${prod}/api/message_groups`, `${issuer.token('worf').slice(0, -8)}AAAAAAAA`),
      await status(`${prod}/rollbar/test`),
    ];
    expect(/^200,200,401,200,401,40[34]$/.test(statuses.join()), `prod answered ${statuses.join()}`);
  });
}

async function onMoto(emulator: Emulator, programs: string): Promise<void> {
  const variables = aws(emulator, 'moto');
  const sls = (...args: string[]) => run('sls', [...args, '--stage', 'prod'], variables);
  await run('throughline', ['secrets', 'set', 'CURSOR_SECRET', '--stage', 'prod', '--generate'], variables);
  await step('prod: sls deploy with alarms and saved queries', () => sls('deploy'));
  await step('prod: a second deploy', () => sls('deploy', '--force'));
  await step('prod: every policy, by parliament', async () => {
    const template = path.join(root, '.serverless', 'cloudformation-template-update-stack.json');
    console.log(`    ${await lintPolicies(programs, template)} policies`);
  });
}

const programs = await installEmulators(folder);
if (programs) {
  await mkdir(folder, { recursive: true });
  for (const [name, start, rehearse] of [
    ['ministack', startMinistack, onMinistack],
    ['moto', startMoto, onMoto],
  ] as const) {
    console.log(name);
    const emulator = await start(programs, folder);
    try {
      await rehearse(emulator, programs);
    } finally {
      await emulator.stop();
    }
  }
  await rm(path.join(root, '.serverless'), { recursive: true, force: true });
  console.log('rehearsed');
}
