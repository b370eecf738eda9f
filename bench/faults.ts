/**
 * Measures the delay before the response when a telemetry back end misbehaves: `npm run
 * bench:faults`. Each fault and tool has a Lambda process of the same function. They take turns in
 * shuffled rounds, so that noise of the machine hits all alike. A figure is the difference of
 * medians to the same function with back ends that work. Fails when a cell is over 5 ms.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Behaviour } from '../packages/telemetry/test/harness/back-end.ts';
import {
  awsRuntimeClient,
  type LambdaHarness,
  startLambdaHarness,
} from '../packages/telemetry/test/harness/lambda-harness.ts';
import { median, shuffled } from './statistics.ts';

const rounds = Number(process.env.ROUNDS ?? 41);
const coldRounds = Number(process.env.COLD_ROUNDS ?? 15);
const settleMilliseconds = 60;
const mostAddedMilliseconds = 5;
const runtime = awsRuntimeClient ? 'aws' : 'local';

const behaviours: Behaviour[] = [
  'works',
  'refused',
  'answers 503',
  'slow by 1 s',
  'never answers',
  'garbage',
  'reset',
  'endless answer',
];
const tools = ['OTLP', 'Rollbar'] as const;
type Tool = (typeof tools)[number];

interface Variant {
  tool: Tool;
  /** Absent: the same function with nowhere to send to. */
  behaviour: Behaviour | undefined;
  harness: LambdaHarness;
  warm: number[];
  cold: number[];
  /** Work that the environment still does after the last answer. */
  busy: Promise<void>;
}

/** A request that gives OTLP spans to send, and one that gives Rollbar a fault. */
const paths: Record<Tool, string> = { OTLP: '/none', Rollbar: '/fault' };

async function prepare(tool: Tool, behaviour: Behaviour | undefined): Promise<Variant> {
  const environment: Record<string, string> = { POWERTOOLS_LOG_LEVEL: 'WARN' };
  if (tool !== 'OTLP' || !behaviour) environment.OTEL_TRACES_EXPORTER = 'none';
  if (tool === 'Rollbar' && behaviour) environment.ROLLBAR_ACCESS_TOKEN = 'token';
  const harness = await startLambdaHarness({ layer: true, runtime, timeoutSeconds: 20, environment });
  if (behaviour) await (tool === 'OTLP' ? harness.otlp : harness.rollbar).behave(behaviour);
  return { tool, behaviour, harness, warm: [], cold: [], busy: Promise.resolve() };
}

async function measure(variant: Variant, cold: boolean): Promise<void> {
  await variant.busy;
  // The previous request's work after its answer must not take the processor from this one.
  await pause(settleMilliseconds);
  const invocation = await variant.harness.invoke({ path: paths[variant.tool] });
  if (invocation.coldStart !== cold)
    throw new Error(`${variant.behaviour}: the start was not ${cold ? 'cold' : 'warm'}`);
  variant.busy = variant.harness.idle(invocation).then(() => {
    variant[cold ? 'cold' : 'warm'].push(
      invocation.milliseconds - initMilliseconds(variant.harness, invocation.requestId),
    );
    if (cold) variant.harness.cool();
  });
}

/**
 * Nothing is sent during INIT, and starting a process varies by more than everything that is
 * measured here.
 */
function initMilliseconds({ lines }: LambdaHarness, requestId: string): number {
  const report = lines.find(({ message }) => message.startsWith(`REPORT RequestId: ${requestId}`))?.message ?? '';
  return Number(/Init Duration: ([\d.]+) ms/.exec(report)?.[1] ?? 0);
}

/** Records that the function's own metrics say were lost. */
function lost({ harness }: Variant): number {
  return harness
    .json()
    .flatMap((line) => Object.entries(line))
    .filter(([name]) => name.startsWith('TelemetryLost_'))
    .reduce((sum, [, value]) => sum + Number(value), 0);
}

const variants: Variant[] = [];
for (const tool of tools) {
  for (const behaviour of [undefined, ...behaviours]) variants.push(await prepare(tool, behaviour));
}
for (const variant of variants) {
  // The first request of a process is another matter: it starts cold, and compiles.
  await variant.harness.invoke({ path: paths[variant.tool] }).then((first) => variant.harness.idle(first));
}
for (let round = 0; round < rounds; round += 1) for (const variant of shuffled(variants)) await measure(variant, false);
for (const { harness } of variants) harness.cool();
for (let round = 0; round < coldRounds; round += 1)
  for (const variant of shuffled(variants)) await measure(variant, true);
await Promise.all(variants.map(({ busy }) => busy));
// The last environments write their losses when they end.
await Promise.all(variants.map(({ harness }) => harness.stop()));

const find = (tool: Tool, behaviour: Behaviour | undefined): Variant => {
  const variant = variants.find((candidate) => candidate.tool === tool && candidate.behaviour === behaviour);
  if (!variant) throw new Error(`no variant for ${tool}, ${behaviour}`);
  return variant;
};
const added = (variant: Variant, when: 'warm' | 'cold', base: Behaviour | undefined): number =>
  median(variant[when]) - median(find(variant.tool, base)[when]);

const faults = behaviours.filter((behaviour) => behaviour !== 'works');
const row = (name: string, behaviour: Behaviour, base?: Behaviour | 'nothing'): string => {
  const cells = tools.flatMap((tool) => {
    const variant = find(tool, behaviour);
    const against = base === 'nothing' ? undefined : 'works';
    return [
      ...(['warm', 'cold'] as const).map((when) => added(variant, when, against).toFixed(1)),
      String(lost(variant)),
    ];
  });
  return `| ${[name, ...cells].join(' | ')} |`;
};
const rows = [
  ...faults.map((behaviour) => row(behaviour, behaviour)),
  row('works, compared with no back end', 'works', 'nothing'),
];
const table = [
  '| back end | OTLP, warm | OTLP, cold | lost spans | Rollbar, warm | Rollbar, cold | lost items |',
  '| --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
].join('\n');
const base = tools
  .map((tool) => {
    const variant = find(tool, 'works');
    return `${tool}'s request ${median(variant.warm).toFixed(1)} ms warm, ${median(variant.cold).toFixed(1)} ms cold`;
  })
  .join('; ');
const text = `# Delay added before the response when a back end misbehaves

Milliseconds: the difference between the medians of ${rounds} warm and ${coldRounds} cold requests in shuffled rounds, under
${runtime === 'aws' ? "AWS's runtime client" : "this project's runtime client"}, and the medians of the same function with back ends that work
(${base}).
A cold figure is the first request of an environment without its Init, in which nothing is sent.
\`npm run bench:faults\` writes this table, and fails when a cell is over ${mostAddedMilliseconds} ms.

"Lost" counts the records that the function's own metrics report as lost. A batch that never reached the back end, or got 429, 502, 503 or
504, stays in the queue (at most 2,000 records) and is sent when the back end works again. Here no back end recovers before its environment
ends, so all of them are lost. A batch that was sent but not answered counts as lost and isn't sent twice, because duplicates falsify counts.

${table}
`;
process.stdout.write(`${text}\n`);
await writeFile(path.join(import.meta.dirname, '../docs/faults.md'), text);
const worst = Math.max(
  ...tools.flatMap((tool) =>
    faults.flatMap((behaviour) => [
      added(find(tool, behaviour), 'warm', 'works'),
      added(find(tool, behaviour), 'cold', 'works'),
    ]),
  ),
);
if (worst > mostAddedMilliseconds) {
  process.stderr.write(`A cell is over ${mostAddedMilliseconds} ms: ${worst.toFixed(1)} ms.\n`);
  process.exitCode = 1;
}
