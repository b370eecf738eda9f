import { createHash } from 'node:crypto';
import { HttpError } from '../../../http/http-error.ts';
import type { JsonObject } from '../../../receiver/json.ts';

/** AWS's own placeholder for an account. */
export const localAccount = '123456789012';

/** One operation: the members of its request in, those of its answer out. */
export type Operation = (input: JsonObject, region: string) => JsonObject | Promise<JsonObject>;
export type Operations = Record<string, Operation>;

/** @returns the error for a request that is not valid, or not supported here. */
export function invalidParameter(message: string): HttpError {
  return new HttpError(400, message, 'InvalidParameterException');
}

const groupNamePattern = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const streamNamePattern = /^[^:*]{1,512}$/;

function name(value: unknown, key: string, pattern: RegExp): string {
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalidParameter(`'${key}' must satisfy the pattern ${pattern.source}.`);
}

export function newGroupName(input: JsonObject): string {
  return name(input.logGroupName, 'logGroupName', groupNamePattern);
}

export function streamName(input: JsonObject): string {
  return name(input.logStreamName, 'logStreamName', streamNamePattern);
}

/** By name, or by name or ARN as `logGroupIdentifier`; not by both. */
export function groupName(input: JsonObject): string {
  const { logGroupName, logGroupIdentifier } = input;
  if (logGroupIdentifier === undefined) return newGroupName(input);
  if (logGroupName !== undefined) throw invalidParameter('Give logGroupName or logGroupIdentifier, not both.');
  return groupOfIdentifier(logGroupIdentifier, 'logGroupIdentifier');
}

/** @returns the name in `arn:aws:logs:<region>:<account>:log-group:<name>`, or the name itself. */
export function groupOfIdentifier(value: unknown, key: string): string {
  const text = typeof value === 'string' ? value.split(':log-group:').at(-1)?.replace(/:\*$/, '') : value;
  return name(text, key, groupNamePattern);
}

/** @throws HttpError unless the member is absent or a string. */
export function optionalText(input: JsonObject, key: string): string | undefined {
  const value = input[key] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw invalidParameter(`'${key}' must be a string.`);
  return value;
}

/** @throws HttpError unless the member is absent, or a list of `minimum` to `maximum` strings. */
export function optionalTexts(input: JsonObject, key: string, minimum: number, maximum: number): string[] | undefined {
  const value = input[key] ?? undefined;
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.every((each): each is string => typeof each === 'string');
  if (isList && value.length >= minimum && value.length <= maximum) return value;
  throw invalidParameter(`'${key}' must be a list of ${minimum} to ${maximum} strings.`);
}

/** @throws HttpError unless the member is absent, or a whole number within the bounds. */
export function optionalInteger(input: JsonObject, key: string, minimum: number, maximum: number): number | undefined {
  const value = input[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw invalidParameter(`'${key}' must be a whole number from ${minimum} to ${maximum}.`);
}

/** Of a date that JavaScript can hold. */
export const latestMilliseconds = 8.64e15;

/** @returns `startTime` and `endTime` in epoch milliseconds. */
export function optionalRange(input: JsonObject): { from?: number; to?: number } {
  const from = optionalInteger(input, 'startTime', 0, latestMilliseconds);
  const to = optionalInteger(input, 'endTime', 0, latestMilliseconds);
  if (from !== undefined && to !== undefined && to < from)
    throw invalidParameter("'endTime' must not be before 'startTime'.");
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/** @throws HttpError for a member that would change the answer, and is not supported here. */
export function refuseMembers(input: JsonObject, names: readonly string[]): void {
  for (const key of names) {
    const value = input[key];
    if (value === undefined || value === null || value === false) continue;
    throw invalidParameter(`'${key}' is not supported by this endpoint.`);
  }
}

const pageSize = 50;

/** A token is the number of items before the page. */
export function page<T>(items: T[], input: JsonObject): { items: T[]; nextToken: { nextToken?: string } } {
  const limit = optionalInteger(input, 'limit', 1, pageSize) ?? pageSize;
  const token = optionalText(input, 'nextToken') ?? '0';
  if (!/^\d{1,9}$/.test(token)) throw invalidParameter("'nextToken' is not valid.");
  const start = Number(token);
  const end = start + limit;
  return { items: items.slice(start, end), nextToken: end < items.length ? { nextToken: String(end) } : {} };
}

/** @returns a short text that is the same for the same request, so that a token fits no other. */
export function requestMark(parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16);
}
