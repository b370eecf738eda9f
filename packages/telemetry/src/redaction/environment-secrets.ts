import { config } from '../config.ts';
import { isSecretKey } from './patterns.ts';
import { SecretIndex } from './secret-index.ts';

/** Shorter values are words: a laptop has `local` for a key. */
const shortestValue = 8;

let known: SecretIndex | undefined;

/**
 * Lists the secrets in the function's own variables. A back end that refuses one may quote it
 * outside any `key=value`: AWS quotes the session token when a signature is wrong. A name or an
 * address is not a secret, whatever its variable is called.
 */
export function environmentSecrets(): SecretIndex {
  known ??= new SecretIndex([
    ...config.valuesOf(isSecretKey).filter((value) => isLong(value) && !/^(?:arn:|https?:|\/)/.test(value)),
    ...config
      .valuesOf((name) => /^OTEL_EXPORTER_OTLP_.*HEADERS$/.test(name))
      .flatMap((pairs) => pairs.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1).trim()))
      .filter(isLong),
  ]);
  return known;
}

function isLong(value: string): boolean {
  return value.length >= shortestValue;
}
