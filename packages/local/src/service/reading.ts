import type { AuthorizerSetting } from './apis/api-model.ts';
import type { ServerlessInstance } from './serverless.ts';
import { resolveIntrinsics, type TemplateContext, UnresolvedIntrinsic } from './values/intrinsics.ts';

/** The input of every function that reads a part of serverless.yml, and its list of warnings. */
export interface Reading {
  serverless: ServerlessInstance;
  context: TemplateContext;
  /** Gets a sentence for each thing that is not as on AWS. */
  warnings: string[];
}

/** @returns `value` with its intrinsic functions resolved, or why only AWS can know it. */
export function resolved(value: unknown, { context }: Reading): { value: unknown } | { unknown: string } {
  try {
    return { value: resolveIntrinsics(value, context) };
  } catch (error) {
    if (error instanceof UnresolvedIntrinsic) return { unknown: error.reason };
    throw error;
  }
}

/** @returns `value` as text, or undefined where only AWS knows it. */
export function resolvedText(value: unknown, reading: Reading): string | undefined {
  if (value === undefined || value === null) return undefined;
  const result = resolved(value, reading);
  return 'value' in result ? String(result.value) : undefined;
}

/** @returns what `custom.local.authorizers` says of an authorizer. */
export function authorizerSetting(name: string, { serverless }: Reading): AuthorizerSetting {
  const settings = serverless.service.custom?.local?.authorizers as Record<string, AuthorizerSetting> | undefined;
  return settings && Object.hasOwn(settings, name) ? (settings[name] ?? {}) : {};
}

/** @returns a list, where serverless.yml takes one value as well. */
export function listOf<T>(value: T | T[] | undefined | null): T[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
