import { logger, traceClient } from '@throughline/telemetry';
import { config } from '../../config.ts';

/**
 * How long a secret is used before it is read again: a rotated one is in use everywhere after this
 * time.
 */
const maxAgeSeconds = 300;

type Read = () => Promise<string | undefined>;
let readParameter: Promise<Read> | undefined;
let last: string | undefined;

/**
 * Reads the secrets of the cursors: from the environment on a laptop, from the parameter store on
 * AWS. The first one encrypts, all of them decrypt, so that a rotation does not break the pages
 * that callers are reading.
 * @throws when the parameter store has never answered.
 */
export async function cursorSecrets(): Promise<string[]> {
  const { variable, parameter } = config.cursorSecret();
  if (variable !== undefined) return [variable];
  try {
    readParameter ??= parameterReader(parameter);
    const read = await readParameter;
    last = (await read()) ?? last;
  } catch (error) {
    if (last === undefined) throw error;
    logger.warn('The cursor secret was not read again; the previous one stays in use', error as Error);
  }
  const secrets = last?.split('\n').map((line) => line.trim()) ?? [];
  const usable = secrets.filter((secret) => secret.length >= config.leastSecretLength);
  if (usable.length > 0) return usable;
  throw new Error(`The parameter ${parameter} has no secret of ${config.leastSecretLength} characters or more.`);
}

/** Loads the SDK when it is first needed: at INIT it would slow down every cold start. */
async function parameterReader(name: string): Promise<Read> {
  const [{ SSMProvider }, { SSMClient }] = await Promise.all([
    import('@aws-lambda-powertools/parameters/ssm'),
    import('@aws-sdk/client-ssm'),
  ]);
  // The caller waits for the answer: two tries of a second each.
  const client = new SSMClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 500, requestTimeout: 1_000, throwOnRequestTimeout: true },
  });
  const provider = new SSMProvider({ awsSdkV3Client: traceClient(client) });
  return () => provider.get(name, { decrypt: true, maxAge: maxAgeSeconds });
}
