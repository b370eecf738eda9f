import type { LocalSchedule } from '../model.ts';
import { type Reading, resolved } from '../reading.ts';
import type { ServerlessFunction } from '../serverless.ts';
import { parseSchedule } from './schedule-expression.ts';

/** A `schedule` event as Serverless takes it. */
interface ScheduleEvent {
  rate?: unknown;
  enabled?: boolean;
  input?: unknown;
  inputPath?: string;
  inputTransformer?: unknown;
  timezone?: string;
}

/** @returns when a function runs by itself; `warnings` gets what is not as on AWS. */
export function readSchedules(
  key: string,
  lambda: ServerlessFunction,
  reading: Reading,
): { schedules?: LocalSchedule[] } {
  const schedules = (lambda.events ?? []).flatMap((event) => {
    const given: unknown = typeof event === 'object' ? event.schedule : undefined;
    if (given === undefined || given === null) return [];
    return readSchedule(key, typeof given === 'object' ? (given as ScheduleEvent) : { rate: given }, reading);
  });
  return schedules.length > 0 ? { schedules } : {};
}

function readSchedule(key: string, event: ScheduleEvent, reading: Reading): LocalSchedule[] {
  const { rate, enabled, input, inputPath, inputTransformer, timezone } = event;
  if (enabled === false) return [];
  if (inputPath !== undefined || inputTransformer !== undefined) {
    reading.warnings.push(`functions.${key}: inputPath and inputTransformer of a schedule are not applied here`);
  }
  const value = resolved(input, reading);
  if ('unknown' in value) {
    reading.warnings.push(`functions.${key}: a schedule runs with the plain event: ${value.unknown}`);
  }
  const given = 'value' in value ? value.value : undefined;
  const text = typeof given === 'string' ? given : given === undefined ? undefined : JSON.stringify(given);
  return (Array.isArray(rate) ? rate : [rate]).flatMap((expression: unknown) => {
    const problem = problemOf(expression, timezone);
    if (problem === undefined) {
      const schedule = { expression: String(expression), ...(timezone && { timezone }) };
      return [{ ...schedule, ...(text !== undefined && { input: text }) }];
    }
    reading.warnings.push(`functions.${key}: a schedule does not run here: ${problem}`);
    return [];
  });
}

function problemOf(expression: unknown, timezone: string | undefined): string | undefined {
  if (typeof expression !== 'string') return 'only AWS knows its rate';
  try {
    parseSchedule(expression, timezone);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
