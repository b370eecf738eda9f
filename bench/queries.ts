/**
 * How long each query of `queries/` takes over a run of 200,000 spans, in milliseconds: the first
 * time, the median of what follows, and the processor time of that. `npm run bench:queries`; exits
 * with 1 where a median is above 100 ms.
 */
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { openStore } from 'serverless-throughline/testing';
import { readSavedQuery } from '../packages/local/src/query/validate.ts';

const requests = 25_000;
const spansOfRequest = 8;
const runs = 9;
const mostMilliseconds = 100;

const directory = await mkdtemp(path.join(tmpdir(), 'throughline-bench-'));
const store = await openStore({ file: path.join(directory, 'run.duckdb') });
try {
  const begun = performance.now();
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const start = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  for (let request = 0; request < requests; request++) {
    const route = `/api/route-${request % 12}`;
    const duration = 5 + ((request * 7919) % 1000) ** 2 / 2_000;
    const isFailed = request % 50 === 0;
    for (let nth = 0; nth < spansOfRequest; nth++) {
      const at = start + BigInt(request) * 140_000_000n + BigInt(nth) * 1_000_000n;
      store.span({
        source: 'otlp',
        traceId: hex(request + 1, 32),
        spanId: hex(request * spansOfRequest + nth + 1, 16),
        ...(nth > 0 && { parentId: hex(request * spansOfRequest + 1, 16) }),
        name: nth === 0 ? `## ${route}` : `DynamoDB ${nth}`,
        kind: nth === 0 ? 'server' : 'client',
        startNanoseconds: at,
        endNanoseconds: at + BigInt(Math.round((nth === 0 ? duration : duration / 10) * 1e6)),
        status: isFailed && nth === 0 ? 'error' : 'unset',
        serviceName: 'bench',
        attributes:
          nth === 0
            ? {
                route,
                'http.route': route,
                method: 'GET',
                status: isFailed ? 500 : 200,
                duration_ms: duration,
                cold_start: request % 100 === 0,
                user: `user-${request % 300}`,
                database_calls: 7,
                database_ms: duration / 2,
                response_bytes: 1_000 + (request % 5_000),
                release: `1.${request % 3}.0`,
                trace_id: hex(request + 1, 32),
                ...(isFailed && { error_code: `E${request % 7}`, 'error.category': 'fault' }),
                ...(request % 5_000 === 0 && { telemetry_lost: 3 }),
              }
            : { 'db.system.name': 'aws.dynamodb', 'aws.table': 'table', 'db.operation.name': 'Query' },
        resource: { 'service.name': 'bench', 'faas.name': `function-${request % 12}`, 'cloud.region': 'eu-west-1' },
        events:
          isFailed && nth === 0
            ? [{ timeNanoseconds: at, name: 'exception', attributes: { 'exception.message': 'a fault' } }]
            : [],
        links: [],
        sampleRate: isFailed ? 1 : 8,
      });
    }
    if (request % 2_000 === 0) await store.flush();
  }
  await store.flush();
  console.log(`${requests * spansOfRequest} spans written in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`);
  console.log(
    `${'query'.padEnd(28)}${'rows'.padStart(6)}${'first'.padStart(9)}${'median'.padStart(9)}${'processor'.padStart(11)}`,
  );
  let isSlow = false;
  for (const file of globSync(path.resolve(import.meta.dirname, '../queries/*.json')).sort()) {
    const query = readSavedQuery(readFileSync(file, 'utf8'));
    const times: number[] = [];
    const processor: number[] = [];
    let rows = 0;
    for (let run = 0; run <= runs; run++) {
      const asked = performance.now();
      const used = process.cpuUsage();
      rows = (await store.ask(query)).rows.length;
      times.push(performance.now() - asked);
      const { user, system } = process.cpuUsage(used);
      processor.push((user + system) / 1000);
    }
    const [first = 0, ...others] = times;
    const [median, ofProcessor] = [others, processor.slice(1)].map(
      (values) => values.sort((one, other) => one - other)[Math.floor(runs / 2)] ?? 0,
    ) as [number, number];
    isSlow ||= median > mostMilliseconds;
    const figures = [first, median, ofProcessor].map((milliseconds) => milliseconds.toFixed(0).padStart(9)).join('');
    console.log(`${path.basename(file, '.json').padEnd(28)}${String(rows).padStart(6)}${figures}`);
  }
  process.exitCode = isSlow ? 1 : 0;
} finally {
  await store.close();
  await rm(directory, { recursive: true });
}
