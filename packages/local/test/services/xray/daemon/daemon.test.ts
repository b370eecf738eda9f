import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, request, runXray, traceId } from '../fixture.ts';

/** Path of the X-Ray daemon's program, as AWS distributes it. */
const sampleDaemon = process.env.XRAY_DAEMON;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(!sampleDaemon)("AWS's own X-Ray daemon in front (skipped unless XRAY_DAEMON names its program)", () => {
  let xray: Running;
  let home: string;
  let port: number;
  let daemon: ChildProcess;

  beforeAll(async () => {
    xray = await runXray();
    home = await mkdtemp(join(tmpdir(), 'throughline-daemon-'));
    port = await freePort();
    const config = ['Version: 2', `Endpoint: "${xray.endpoint}"`, 'Region: eu-west-1', 'LocalMode: true', ''].join(
      '\n',
    );
    await writeFile(join(home, 'cfg.yaml'), config);
    const address = `127.0.0.1:${port}`;
    daemon = spawn(sampleDaemon ?? '', ['-c', join(home, 'cfg.yaml'), '-b', address, '-t', address, '-o'], {
      cwd: home,
      env: { HOME: home, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_EC2_METADATA_DISABLED: 'true' },
      stdio: 'ignore',
    });
    // It listens by TCP once it is ready.
    for (;;) {
      const answer = await fetch(`http://${address}/GetSamplingRules`, { method: 'POST', body: '{}' }).catch(
        () => undefined,
      );
      if (answer?.ok) break;
      if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
      await sleep(50);
    }
  });

  afterAll(async () => {
    const ended = once(daemon, 'exit');
    if (daemon.exitCode === null && daemon.kill()) await ended;
    await xray.stop();
    await rm(home, { recursive: true, force: true });
  });

  it('brings segments from its UDP port by PutTraceSegments', async () => {
    const socket = createSocket('udp4');
    for (const document of request(1)) {
      const datagram = `{"format":"json","version":1}\n${JSON.stringify(document)}`;
      await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));
    }
    socket.close();
    for (;;) {
      const documents = (await xray.store.documents([traceId(1)])).values().next().value ?? [];
      if (documents.length === 5) break;
      await sleep(50);
    }
    const trace = await xray.store.trace(traceId(1));
    expect(trace?.roots).toMatchObject([{ name: 'dev-cruddur/dev', orphan: false }]);
    expect(trace?.roots).toHaveLength(1);
  });

  it('hands on what SDKs ask of sampling', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/GetSamplingRules`, { method: 'POST', body: '{}' });
    expect(await answer.json()).toMatchObject({ SamplingRuleRecords: [{ SamplingRule: { RuleName: 'cruddur' } }, {}] });
  });
});
