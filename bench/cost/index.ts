/**
 * `npm run bench:cost`: measures what one warm request of each route costs on AWS, and writes the
 * table of docs/cost.md. Bytes, spans, lines and metrics come from a local run's traces, units from
 * DynamoDB's stand-in, prices from prices.ts.
 */
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Trace, TraceNode } from '../../packages/local/src/trace/trace.ts';
import { machine, table, writeSection } from '../document.ts';
import { startLocal } from '../local-process.ts';
import { keptShare, prices, recordedShare } from './prices.ts';
import { measureUnits, type Units } from './units.ts';

interface Sendable {
  title: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

interface Measured {
  spans: number;
  documents: number;
  logBytes: number;
  milliseconds: number;
}

/** CloudWatch Logs counts so many bytes with each event. */
const eventOverheadBytes = 26;
/** The access log's line in resources/api-stage.yml, filled in. */
const accessLogBytes = 420;
const million = 1e6;
/** The first ones are cold starts. */
const rounds = 6;

const local = await startLocal();
const requests = new Map<string, Sendable>();
const measured = new Map<string, Measured>();
try {
  const all = (await (await fetch(`${local.console}/api/requests`)).json()) as Sendable[];
  for (const request of all) {
    const [, key] = /^events\/([\w-]+)\/ok\.json$/.exec(request.title) ?? [];
    if (key && key !== 'rollbar-test') requests.set(key, request);
  }
  for (const [key, request] of requests) measured.set(key, await measure(request));
} finally {
  await local.stop();
}
const units = await measureUnits(requests);

const rows = [...requests.keys()].map((key) => row(key, measured.get(key), units.get(key)));
const head = [
  'route',
  'read units',
  'write units',
  'log bytes',
  'X-Ray documents',
  'spans',
  'API and Lambda',
  'table',
  'logs',
  'X-Ray',
  'sum',
  'telemetry',
];
const text = `${table(head, rows)}\n\nUS dollars for a million warm requests. Lambda's time is this machine's, at 1,024 MB: AWS's differs.\nHoneycomb gets ${keptShare * 100} % of the spans. ${machine()}; ${new Date().toISOString().slice(0, 10)}.`;
console.log(text);
writeSection('cost', text, path.join(import.meta.dirname, '../../docs/cost.md'));
process.exit(0);

/** Sends a request until it is warm, and reads the trace of the last one. */
async function measure({ method, path: target, headers, body }: Sendable): Promise<Measured> {
  let id = '';
  for (let round = 0; round < rounds; round++) {
    const answer = await fetch(local.api + target, { method, headers, ...(body && { body }) });
    await answer.arrayBuffer();
    id = /Root=([^;]+)/.exec(answer.headers.get('x-amzn-trace-id') ?? '')?.[1] ?? '';
  }
  // Spans and the last lines come after the answer.
  await wait(2_000);
  const trace = (await (await fetch(`${local.console}/api/traces/${id}`)).json()) as Trace;
  const nodes = trace.roots.flatMap(inOrder);
  const report = trace.logs.map(({ attributes }) => attributes?.['@duration']).find((value) => value !== undefined);
  return {
    spans: nodes.filter(({ sources }) => sources.includes('otlp')).length,
    documents: nodes.filter(({ sources }) => sources.includes('xray')).length,
    logBytes: trace.logs.reduce((sum, { message }) => sum + Buffer.byteLength(message) + eventOverheadBytes, 0),
    milliseconds: Number(report ?? trace.duration),
  };
}

function inOrder(node: TraceNode): TraceNode[] {
  return [node, ...node.children.flatMap(inOrder)];
}

function row(key: string, found: Measured | undefined, used: Units | undefined): string[] {
  if (!found || !used) throw new Error(`${key} was not measured.`);
  const lambda = prices.invocations + (found.milliseconds / 1000) * prices.gigabyteSecond * million;
  const data = used.reads * prices.readUnits + used.writes * prices.writeUnits;
  const logs = ((found.logBytes + accessLogBytes) / 2 ** 30) * million * prices.logGigabyte;
  const traces = prices.traces * recordedShare;
  const sum = prices.restRequests + lambda + data + logs + traces;
  const money = (value: number) => value.toFixed(2);
  return [
    `\`${key}\``,
    String(used.reads),
    String(used.writes),
    String(found.logBytes),
    String(found.documents),
    String(found.spans),
    ...[prices.restRequests + lambda, data, logs, traces, sum].map(money),
    `${Math.round(((logs + traces) / sum) * 100)} %`,
  ];
}
