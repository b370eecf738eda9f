import type { IdentitySettings, LocalSettings } from './model.ts';

/**
 * Loopback ports that nobody has to think about, each changeable by `custom.local.ports` or an
 * option of `sls local`.
 */
export const defaultPorts: LocalSettings['ports'] = {
  api: 3000,
  console: 4000,
  otlp: 4318,
  grpc: 4317,
  xray: 2000,
  dynamodb: 8000,
  lambda: 3001,
};

export type PortName = keyof LocalSettings['ports'];

const identityKeys: (keyof IdentitySettings)[] = ['issuer', 'audience', 'handleClaim', 'jwksVariable'];

const port = { type: 'integer', minimum: 0, maximum: 65535 };

/**
 * JSON schema of `custom.local` and `custom.build`: Serverless itself refuses what does not fit,
 * naming the key.
 */
export const settingsSchema = {
  type: 'object',
  properties: {
    local: {
      type: 'object',
      properties: {
        ports: {
          type: 'object',
          properties: Object.fromEntries(Object.keys(defaultPorts).map((name) => [name, port])),
          additionalProperties: false,
        },
        seed: { type: 'string' },
        openapi: { type: 'string' },
        profile: { type: 'string' },
        runtimeClient: { type: 'string' },
        origins: { type: 'array', items: { type: 'string' } },
        accountConcurrency: { type: 'integer', minimum: 1 },
        schedules: { type: 'boolean' },
        maximumEnvironments: { type: 'integer', minimum: 1 },
        authorizers: {
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: {
              open: { type: 'boolean' },
              context: { type: 'object' },
              principal: { type: 'string' },
              keys: { type: 'string' },
              issuer: { type: 'string' },
              function: { type: 'string' },
            },
            additionalProperties: false,
          },
        },
        apiKeys: { type: 'object', additionalProperties: { type: 'string' } },
        identity: {
          type: 'object',
          properties: Object.fromEntries(identityKeys.map((key) => [key, { type: 'string' }])),
          required: identityKeys,
          additionalProperties: false,
        },
        environment: {
          type: 'object',
          additionalProperties: { anyOf: ['string', 'number', 'boolean'].map((type) => ({ type })) },
        },
      },
      additionalProperties: false,
    },
    build: {
      type: 'object',
      properties: {
        layers: { type: 'object', additionalProperties: { type: 'string' } },
        esbuild: {
          type: 'object',
          properties: {
            chunks: { type: 'object', additionalProperties: { type: 'string' } },
            external: { type: 'array', items: { type: 'string' } },
            mainFields: { type: 'array', items: { type: 'string' } },
            loader: { type: 'object', additionalProperties: { type: 'string' } },
            define: { type: 'object', additionalProperties: { type: 'string' } },
            alias: { type: 'object', additionalProperties: { type: 'string' } },
            keepNames: { type: 'boolean' },
            minify: { type: 'boolean' },
            minifyWhitespace: { type: 'boolean' },
            minifySyntax: { type: 'boolean' },
            minifyIdentifiers: { type: 'boolean' },
            lineLimit: { type: 'number' },
            tsconfig: { type: 'string' },
          },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
  },
};

/**
 * @param given `custom.local`, which has passed the schema.
 * @param options what the command line says, by port name.
 */
export function readSettings(
  given: Partial<Omit<LocalSettings, 'environment'>> & { environment?: Record<string, unknown> } = {},
  options: Partial<Record<PortName, number>> = {},
): LocalSettings {
  const environment = Object.entries(given.environment ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    ports: { ...defaultPorts, ...given.ports, ...options },
    ...(given.seed ? { seed: given.seed } : {}),
    ...(given.origins ? { origins: given.origins } : {}),
    ...(given.openapi ? { openapi: given.openapi } : {}),
    ...(given.profile ? { profile: given.profile } : {}),
    ...(given.runtimeClient ? { runtimeClient: given.runtimeClient } : {}),
    ...(given.schedules === undefined ? {} : { schedules: given.schedules }),
    ...(given.accountConcurrency ? { accountConcurrency: given.accountConcurrency } : {}),
    ...(given.maximumEnvironments ? { maximumEnvironments: given.maximumEnvironments } : {}),
    ...(given.identity ? { identity: given.identity } : {}),
    environment: Object.fromEntries(environment),
  };
}
