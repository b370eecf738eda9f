import { HttpError } from '../../../http/http-error.ts';
import { isObject, type JsonObject } from '../../../receiver/json.ts';
import type { MetricIdentity } from '../../../store/metric-data.ts';
import { badRequest } from './wire.ts';

/** @throws HttpError unless the member is absent or a text. */
export function optionalText(input: JsonObject, key: string): string | undefined {
  const value = input[key] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw badRequest(`The parameter ${key} must be a string.`);
  return value;
}

/** @throws HttpError when the member is missing. */
export function text(input: JsonObject, key: string): string {
  const value = optionalText(input, key);
  if (value === undefined || value === '') throw missing(key);
  return value;
}

export function missing(key: string): HttpError {
  return new HttpError(400, `The parameter ${key} is required.`, 'MissingRequiredParameterException');
}

/** @throws HttpError unless the member is absent, or a whole number within the bounds. */
export function optionalInteger(input: JsonObject, key: string, least: number, most: number): number | undefined {
  const value = input[key] ?? undefined;
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
  throw badRequest(`The parameter ${key} must be a whole number from ${least} to ${most}.`);
}

/** @throws HttpError unless the member is absent, or a list of at most `most` objects. */
export function objects(input: JsonObject, key: string, most: number): JsonObject[] {
  const value = input[key] ?? [];
  if (Array.isArray(value) && value.length <= most && value.every(isObject)) return value;
  throw badRequest(`The parameter ${key} must be a list of at most ${most} structures.`);
}

/** @throws HttpError unless the member is absent, or a list of at most `most` texts. */
export function texts(input: JsonObject, key: string, most: number): string[] {
  const value = input[key] ?? [];
  if (Array.isArray(value) && value.length <= most && value.every((each): each is string => typeof each === 'string'))
    return value;
  throw badRequest(`The parameter ${key} must be a list of at most ${most} strings.`);
}

/** Of a date that JavaScript can hold. */
const latestMilliseconds = 8.64e15;

/** @returns epoch milliseconds of epoch seconds, of ISO 8601, or of CBOR's tag 1. */
function time(input: JsonObject, key: string): number {
  const given = input[key] ?? undefined;
  if (given === undefined) throw missing(key);
  const value = isObject(given) && given.tag === 1 ? given.value : given;
  const milliseconds =
    value instanceof Date ? value.getTime() : typeof value === 'number' ? value * 1000 : Date.parse(String(value));
  if (Math.abs(milliseconds) <= latestMilliseconds) return milliseconds;
  throw badRequest(`The parameter ${key} must be a time.`);
}

/** @throws HttpError unless StartTime is before EndTime. */
export function timeRange(input: JsonObject): { from: number; to: number } {
  const [from, to] = [time(input, 'StartTime'), time(input, 'EndTime')];
  if (from >= to) throw badRequest('The parameter StartTime must be less than the parameter EndTime.');
  return { from, to };
}

const mostDimensions = 30;

/** Reads Namespace, MetricName and Dimensions. */
export function metricOf(input: JsonObject): MetricIdentity {
  const dimensions = objects(input, 'Dimensions', mostDimensions);
  return {
    namespace: text(input, 'Namespace'),
    name: text(input, 'MetricName'),
    dimensions: Object.fromEntries(dimensions.map((each) => [text(each, 'Name'), text(each, 'Value')])),
  };
}

/** @returns a period in milliseconds. */
export function periodOf(input: JsonObject): number {
  const period = optionalInteger(input, 'Period', 1, 86_400);
  if (period === undefined) throw missing('Period');
  if (![1, 5, 10, 20, 30].includes(period) && period % 60 !== 0)
    throw badRequest('The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.');
  return period * 1000;
}
