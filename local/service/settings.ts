import type { LocalSettings } from './model.ts';

/** Loopback ports that nobody has to think about, each changeable by `custom.local.ports` or an option of `sls local`. */
export const defaultPorts: LocalSettings['ports'] = {
  api: 3000,
  console: 4000,
  otlp: 4318,
  xray: 2000,
  dynamodb: 8000,
};

export type PortName = keyof LocalSettings['ports'];

const port = { type: 'integer', minimum: 0, maximum: 65535 };

/** JSON schema of `custom.local` and `custom.build`: Serverless itself refuses what does not fit, naming the key. */
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
        runtimeClient: { type: 'string' },
        environment: {
          type: 'object',
          additionalProperties: { anyOf: ['string', 'number', 'boolean'].map((type) => ({ type })) },
        },
      },
      additionalProperties: false,
    },
    build: {
      type: 'object',
      properties: { layers: { type: 'object', additionalProperties: { type: 'string' } } },
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
    ...(given.runtimeClient ? { runtimeClient: given.runtimeClient } : {}),
    environment: Object.fromEntries(environment),
  };
}
