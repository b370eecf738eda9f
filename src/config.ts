/**
 * The only reader of `process.env` in `src/` and `handlers/`. A function reads the values that it
 * requires at INIT, so a missing one fails there with the variable's name, not on the first
 * request.
 */
export const config = {
  /** The name of the DynamoDB table. */
  tableName: () => required('TABLE_NAME'),
  /** The origins that browsers may call from. */
  frontendOrigins: () => list(required('FRONTEND_URL')),
  /** A shorter secret could be guessed. */
  leastSecretLength: 16,
  /** The secret that encrypts cursors, or the name of the parameter that has it. */
  cursorSecret(): { variable: string; parameter?: undefined } | { variable?: undefined; parameter: string } {
    const parameter = optional('CURSOR_SECRET_PARAMETER');
    if (parameter !== undefined && optional('CURSOR_SECRET') === undefined) return { parameter };
    return { variable: longSecret('CURSOR_SECRET', config.leastSecretLength) };
  },
  /** The caller of a request without a token; set on a laptop only. */
  defaultUser: () => optional('IDENTITY_DEFAULT_USER'),
  /** The OIDC issuer whose tokens are accepted; absent: nobody can sign in. */
  identityIssuer: () => optional('IDENTITY_ISSUER'),
  /** The `aud` of accepted tokens; for Amazon Cognito the app client's id. */
  identityAudience: () => optional('IDENTITY_AUDIENCE'),
  /** The claim that holds the user's handle. */
  identityHandleClaim: () => optional('IDENTITY_HANDLE_CLAIM'),
  /** Where the issuer's keys are, if not at its `/.well-known/jwks.json`. */
  identityJwksUri: () => optional('IDENTITY_JWKS_URI'),
  /**
   * The issuer's keys themselves as a JSON Web Key Set, for an issuer that cannot be fetched from.
   */
  identityJwks: () => optional('IDENTITY_JWKS'),
};

function optional(key: string): string | undefined {
  return process.env[key]?.trim() || undefined;
}

function required(key: string): string {
  const value = optional(key);
  if (value === undefined) throw new Error(`The environment variable ${key} is missing or blank.`);
  return value;
}

function longSecret(key: string, minimumLength: number): string {
  const value = required(key);
  if (value.length < minimumLength) {
    throw new Error(`The environment variable ${key} is too short: it needs ${minimumLength} characters or more.`);
  }
  return value;
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim().replace(/\/$/, ''))
    .filter(Boolean);
}
