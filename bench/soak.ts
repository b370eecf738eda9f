/**
 * Sends requests to a running `sls local` at a steady rate and watches the memory of its main
 * process, then opens many connections at once and measures how long the next request waits after
 * they have closed. In between it counts what was sent, what is stored and what the console shows.
 * `npm run soak -- --minutes 60 --rate 20 --connections 1000 --burst-seconds 60`;
 * 0 leaves a part out. Exits 1 when memory grows by more than a tenth after the warm-up, when a
 * request fails, when a request is not stored exactly once or cannot be read, or when the request
 * after the burst takes longer than a second.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { startLocal } from './local-process.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '20' },
    'warm-up': { type: 'string', default: '10' },
    connections: { type: 'string', default: '1000' },
    'burst-seconds': { type: 'string', default: '60' },
    path: { type: 'string', default: '/api/activities/home' },
    other: { type: 'string', default: '/api/health-check' },
  },
});
const [minutes, rate, warmUp] = [Number(values.minutes), Number(values.rate), Number(values['warm-up'])];
const [connections, burstSeconds] = [Number(values.connections), Number(values['burst-seconds'])];
const root = path.join(import.meta.dirname, '..');
const growthLimit = 1.1;
const nextRequestMilliseconds = 1000;

interface Answer {
  /** 0: no answer. */
  status: number;
  /** 32 hex digits; empty without an answer. */
  traceId: string;
  milliseconds: number;
}

const local = await startLocal();
const faults: string[] = [];
/** Of the steady requests that were answered. */
const sent: string[] = [];
try {
  if (minutes > 0) await soak();
  if (connections > 0) await burst();
} finally {
  await local.stop();
}
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

async function soak(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const memory: number[] = [];
  console.log('minute  requests  failed  p50 ms  p99 ms  main process MB');
  for (let minute = 1; minute <= minutes; minute++) {
    const answers: Promise<Answer>[] = [];
    const begun = performance.now();
    for (let count = 0; count < rate * 60; count++) {
      await wait(Math.max(0, begun + (count * 1000) / rate - performance.now()));
      answers.push(get(values.path, agent));
    }
    const all = await Promise.all(answers);
    for (const { traceId } of all) if (traceId) sent.push(traceId);
    const failed = all.filter(({ status }) => status !== 200).length;
    if (failed > 0) faults.push(`Minute ${minute}: ${failed} of ${all.length} requests failed.`);
    memory.push(residentMegabytes());
    const cells = [minute, all.length, failed, percentile(all, 50), percentile(all, 99), memory.at(-1) ?? 0];
    console.log(cells.map((cell, index) => String(cell).padStart([6, 9, 7, 7, 7, 16][index] ?? 0)).join(' '));
  }
  agent.destroy();
  await compareCounts();
  const [settled, last] = [memory[Math.min(warmUp, memory.length) - 1] ?? 0, memory.at(-1) ?? 0];
  console.log(`main process: ${settled} MB after the warm-up, ${last} MB at the end`);
  if (last > settled * growthLimit) faults.push(`The main process grew from ${settled} MB to ${last} MB.`);
}

/** Compares the requests sent with those stored, by id, and reads some of them from the console. */
async function compareCounts(): Promise<void> {
  const { stdout } = await promisify(execFile)(
    path.join(root, 'node_modules/.bin/throughline'),
    ['sql', 'select trace_id from requests', '--json', '--limit', '1000000', '--timeout', '60'],
    { cwd: root, maxBuffer: 2 ** 30 },
  );
  const stored = new Map<string, number>();
  for (const { trace_id: id } of JSON.parse(stdout)) stored.set(id, (stored.get(id) ?? 0) + 1);
  const missing = sent.filter((id) => !stored.has(id)).length;
  const twice = [...stored.values()].filter((count) => count > 1).length;
  const step = Math.max(1, Math.floor(sent.length / 200));
  const read = sent.filter((_, index) => index % step === 0);
  let shown = 0;
  for (const id of read) {
    const answer = await fetch(`${local.console}/api/traces/${id}`);
    const trace = (await answer.json()) as { http?: { status?: number }; inProgress?: boolean; roots?: unknown[] };
    if (trace.http?.status === 200 && !trace.inProgress && trace.roots?.length === 1) shown += 1;
  }
  console.log(
    `${sent.length} sent, ${stored.size} stored, ${missing} missing, ${twice} twice; ${shown} of ${read.length} read whole`,
  );
  if (missing > 0 || twice > 0 || shown < read.length)
    faults.push(
      `${missing} requests are missing, ${twice} are stored twice, ${read.length - shown} cannot be read whole.`,
    );
}

async function burst(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const ends = performance.now() + burstSeconds * 1000;
  const statuses = new Map<number, number>();
  let isOver = false;
  const clients = Array.from({ length: connections }, async () => {
    while (performance.now() < ends) {
      const { status } = await get(values.path, agent);
      if (isOver) return;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 0) await wait(100);
    }
  });
  await wait(burstSeconds * 1000);
  const during = await get(values.other, new Agent());
  isOver = true;
  agent.destroy();
  const next = await get(values.path, new Agent());
  await Promise.all(clients);
  const counted = [...statuses].map(([status, count]) => `${count} × ${status || 'no answer'}`).join(', ');
  console.log(`${connections} connections for ${burstSeconds} s: ${counted}`);
  console.log(`${values.other} meanwhile: ${during.status} after ${during.milliseconds} ms`);
  console.log(`the next request: ${next.status} after ${next.milliseconds} ms; main process ${residentMegabytes()} MB`);
  if (next.status !== 200 || next.milliseconds > nextRequestMilliseconds) {
    faults.push(`The request after the burst was answered ${next.status} after ${next.milliseconds} ms.`);
  }
}

function get(path: string, agent: Agent): Promise<Answer> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, root = '') =>
      resolve({
        status,
        traceId: root.replaceAll('-', '').slice(1),
        milliseconds: Math.round(performance.now() - begun),
      });
    const sent = request(`${local.api}${path}`, { agent }, (response) => {
      response.resume();
      const header = String(response.headers['x-amzn-trace-id'] ?? '');
      response.once('end', () => done(response.statusCode ?? 0, /Root=([^;]+)/.exec(header)?.[1]));
      response.once('error', () => done(0));
    });
    sent.once('error', () => done(0));
    sent.end();
  });
}

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${local.pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}

function percentile(answers: Answer[], percent: number): number {
  const sorted = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
