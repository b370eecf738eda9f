/**
 * Sends mutated input to every receiver of a running `sls local`, over the wire, with valid records
 * beside it, and counts: each valid record has to be stored once, and the process has to answer to
 * the end. `npm run fuzz -- --rounds 200 --seed 7`; exits 1 when a record is missing or there
 * twice, or the process ended.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort, startLocal } from '../local-process.ts';
import { type Expected, type Input, inputs } from './inputs.ts';
import { mutateBytes, mutateValue } from './mutate.ts';
import { Random } from './random.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    verbose: { type: 'boolean', default: false },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const rounds = Number(values.rounds);
const seed = Number(values.seed);
const random = new Random(seed);
const [otlp, xray] = [await freePort(), await freePort()];
const local = await startLocal(['--otlp-port', String(otlp), '--xray-port', String(xray)]);
const udp = createSocket('udp4');
const counts = new Map(
  inputs.map(({ name }) => [
    name,
    { mutated: 0, refused: 0, answers: new Map<string, number>(), expected: [] as Expected[] },
  ]),
);

try {
  await createLogStream();
  for (let round = 0; round < rounds && !local.ended(); round++) {
    for (const input of inputs) await playRound(input);
  }
  await wait(1500);
  const lines = await Promise.all(inputs.map(report));
  console.log(`seed ${seed}, ${rounds} rounds; the process ${local.ended() ? 'ENDED' : 'answers'}`);
  console.table(Object.fromEntries(lines.map(({ name, ...line }) => [name, line])));
  if (local.ended() || lines.some(({ missing, twice }) => missing + twice > 0)) process.exitCode = 1;
} finally {
  udp.close();
  await local.stop();
}

/**
 * A valid request, a request whose valid record has a mutated neighbour, and two requests mutated
 * as a whole.
 */
async function playRound(input: Input): Promise<void> {
  const count = counts.get(input.name);
  if (!count) return;
  const other = () => input.record(random.hex(32), random);
  const sendValid = async (neighbours: unknown[]) => {
    const traceId = random.hex(32);
    const body = Buffer.from(JSON.stringify(input.body([...neighbours, input.record(traceId, random)])));
    const answer = await send(input, body);
    // A request that is refused whole tells its sender so; what is accepted has to be kept.
    if (neighbours.length > 0 && /^4/.test(answer)) count.refused++;
    else count.expected.push({ kind: input.expects, traceId, body: body.toString().slice(0, 2000) });
  };
  const scrap = [
    Buffer.from(JSON.stringify(mutateValue(input.body([other()]), random))),
    mutateBytes(Buffer.from(JSON.stringify(input.body([other()]))), random),
  ];
  const neighbour = input.records === 'many' ? [mutateValue(other(), random)] : [];
  count.mutated += scrap.length + neighbour.length;
  await Promise.all([
    sendValid([]),
    ...(neighbour.length > 0 ? [sendValid(neighbour)] : []),
    ...scrap.map((body) => send(input, body)),
  ]);
}

/** @returns the status, or why there was no answer; empty for a datagram. */
async function send(input: Input, body: Buffer): Promise<string> {
  if (input.protocol === 'udp') {
    const datagram = Buffer.concat([Buffer.from('{"format":"json","version":1}\n'), body]);
    // Larger ones can't be sent at all.
    if (datagram.length <= 65_507) await new Promise((resolve) => udp.send(datagram, xray, '127.0.0.1', resolve));
    return '';
  }
  const answer = await fetch(`http://127.0.0.1:${otlp}${input.path}`, {
    method: 'POST',
    headers: input.headers,
    body: new Uint8Array(body),
  })
    .then(async (response) => {
      await response.arrayBuffer();
      return String(response.status);
    })
    .catch((error: Error) => `no answer: ${(error.cause as { code?: string } | undefined)?.code ?? error.message}`);
  const answers = counts.get(input.name)?.answers;
  answers?.set(answer, (answers.get(answer) ?? 0) + 1);
  return answer;
}

/** CloudWatch Logs takes events for a stream that exists alone. */
async function createLogStream(): Promise<void> {
  for (const [operation, body] of [
    ['CreateLogGroup', { logGroupName: '/fuzz' }],
    ['CreateLogStream', { logGroupName: '/fuzz', logStreamName: 'fuzz' }],
  ] as const) {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `Logs_20140328.${operation}` };
    await fetch(`http://127.0.0.1:${otlp}/`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}

async function report({ name }: Input) {
  const { mutated = 0, refused = 0, answers = new Map<string, number>(), expected = [] } = counts.get(name) ?? {};
  let missing = 0;
  let twice = 0;
  for (const { kind, traceId, body } of expected) {
    const response = await fetch(`${local.console}/api/traces/${traceId}`);
    const trace = response.ok ? ((await response.json()) as Record<'roots' | 'logs' | 'errors', unknown[]>) : undefined;
    const found = trace?.[({ node: 'roots', log: 'logs', error: 'errors' } as const)[kind]].length ?? 0;
    if (found === 0) missing++;
    if (found > 1) twice++;
    if (found !== 1 && values.verbose) console.log(`${name}: ${found} of trace ${traceId}, sent as ${body}`);
  }
  const told = [...answers].map(([status, times]) => `${status}: ${times}`).join(', ');
  return { name, valid: expected.length, mutated, refused, missing, twice, answers: told };
}
