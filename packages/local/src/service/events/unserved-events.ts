import type { ServerlessFunction } from '../serverless.ts';

/** The types of event that arrive here by themselves; all others are named at the start. */
export const servedEvents = ['http', 'httpApi', 'schedule'] as const;

/** The types of event that Serverless knows and that no client of this machine sends. */
export const unservedEvents = [
  'activemq',
  'alb',
  'alexaSkill',
  'alexaSmartHome',
  'cloudFront',
  'cloudwatchEvent',
  'cloudwatchLog',
  'cognitoUserPool',
  'eventBridge',
  'iot',
  'iotFleetProvisioning',
  'kafka',
  'msk',
  'rabbitmq',
  's3',
  'sns',
  'sqs',
  'stream',
  'websocket',
] as const;

/**
 * @returns a sentence for each type of event that nothing sends here, with the functions that wait
 * for it.
 */
export function nameUnservedEvents(functions: Record<string, ServerlessFunction>): string[] {
  const served = new Set<string>(servedEvents);
  const waiting = new Map<string, Set<string>>();
  for (const [key, { events = [] }] of Object.entries(functions)) {
    for (const event of events) {
      // Serverless takes an event of a plugin as a bare word, too.
      const types = typeof event === 'string' ? [event] : Object.keys(event ?? {}).slice(0, 1);
      for (const type of types) {
        if (!served.has(type)) waiting.set(type, (waiting.get(type) ?? new Set()).add(key));
      }
    }
  }
  return [...waiting].map(
    ([type, keys]) =>
      `${type} events are not delivered here (functions: ${[...keys].join(', ')}). Send one by "npx throughline invoke <function> event.json"; "--event" has samples`,
  );
}
