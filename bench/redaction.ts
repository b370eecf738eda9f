/**
 * Prints what redaction costs a request beyond parsing its body, in ms of processor time, for
 * ordinary and hostile bodies. Each is measured in a process of its own, as on a cold start, and
 * warm. Fails above the limit.
 */
import { execFileSync } from 'node:child_process';
import { runIn } from '../packages/telemetry/src/context/request-context.ts';
import { redactText } from '../packages/telemetry/src/redaction/redact.ts';
import { secretsOfRequest } from '../packages/telemetry/src/redaction/request-secrets.ts';

const limitMilliseconds = 10;
const megabytes = 4_800_000;
const long = (text: string): string => text.repeat(Math.ceil(16_000 / text.length)).slice(0, 16_000);
const texts = (make: (index: number) => string): string =>
  JSON.stringify(Array.from({ length: 300 }, (_, i) => make(i)));

const bodies: Record<string, () => string> = {
  'an ordinary message': () => '{"message":"see you at the holodeck at eight","user_receiver_handle":"worf"}',
  '300 texts of quotes': () => texts(() => long('"')),
  '300 texts of quotes, each different': () => texts((index) => `${long('"')}${index}`),
  '300 texts of backslashes': () => texts((index) => `${index}${long('\\')}`),
  '300 texts of percent signs': () => texts((index) => `${long('%41%2525')}${index}`),
  '300 texts of euro signs': () => texts((index) => `${index}${long('€')}`),
  '300 texts of tokens': () => texts((index) => long(`abcdefgh${index}01234567 `)),
  '300 texts of one letter': () => texts((index) => `${long('a')}${index}`),
  'a million numbers': () => JSON.stringify(Array.from({ length: 500_000 }, (_, index) => 1_000_000 + index)),
  '400,000 keys': () => `{${Array.from({ length: 400_000 }, (_, index) => `"k${index}":1`).join()}}`,
  '1,000 levels': () => `${'['.repeat(1_000)}"${long('deep ')}"${']'.repeat(1_000)}`,
  'one text of 4.8 MB': () => JSON.stringify('sesame street '.repeat(megabytes / 14)),
  'a form of 4.8 MB': () => `a=${'b%20c&d='.repeat(megabytes / 8)}`,
  'no JSON after 4.8 MB': () => `["${'x'.repeat(megabytes)}"`,
};

/**
 * The output of a failing request: its body quoted in errors and lines, and some lines of its own.
 */
function writtenTexts(body: string): string[] {
  const quoted = body.slice(1_000, 9_000);
  return [quoted, JSON.stringify(quoted), ...Array.from({ length: 40 }, (_, index) => `line ${index} of the request`)];
}

function measure(name: string): number {
  const body = bodies[name]?.() ?? '';
  const written = writtenTexts(body);
  const state = { traceId: '', xrayId: () => '', fields: new Map(), http: { body }, user: undefined };
  const cpu = (work: () => void): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  const parsing = cpu(() => {
    try {
      JSON.parse(body);
    } catch {
      // Not JSON.
    }
  });
  const request = { ...state, secrets: () => ({ find: () => [] }) } as never as Parameters<typeof secretsOfRequest>[0];
  // The cost of the same texts where the caller has sent nothing: the patterns, and compiling them.
  const patterns = cpu(() =>
    runIn({ ...request, innermost: () => undefined } as never, undefined, () => written.forEach(redactText)),
  );
  request.secrets = secretsOfRequest(request);
  const all = cpu(() => runIn(request, undefined, () => written.forEach(redactText)));
  return all - Math.min(all, parsing + patterns);
}

const [asked] = process.argv.slice(2);
if (asked) process.stdout.write(String(measure(asked)));
else {
  let worst = 0;
  for (const name of Object.keys(bodies)) {
    const runs = Array.from({ length: 5 }, () =>
      Number(execFileSync(process.execPath, [...process.execArgv, import.meta.filename, name], { encoding: 'utf8' })),
    ).sort((a, b) => a - b);
    const median = runs[2] ?? 0;
    worst = Math.max(worst, median);
    console.log(`${median.toFixed(1).padStart(7)} ms  ${name}`);
  }
  console.log(`The most is ${worst.toFixed(1)} ms; the limit is ${limitMilliseconds} ms.`);
  if (worst > limitMilliseconds) process.exitCode = 1;
}
