import type { BundleSettings } from './model.ts';
import type { ServerlessPackage, ServerlessService } from './serverless.ts';

const names = [
  ...['chunks', 'external', 'mainFields', 'loader', 'define', 'alias', 'keepNames', 'tsconfig'],
  ...['minify', 'minifyWhitespace', 'minifySyntax', 'minifyIdentifiers', 'lineLimit'],
];

/**
 * @returns the service's settings for esbuild. A service that was written for another esbuild
 *   step (`custom.esbuild` of serverless-esbuild, `build.esbuild` of Serverless 4) means the same
 *   by the same names.
 */
export function readBundleSettings({ custom, build }: ServerlessService): BundleSettings {
  const own = (build as { esbuild?: unknown } | undefined)?.esbuild;
  const given = Object.assign({}, ...[own, custom?.esbuild, custom?.build?.esbuild].filter(isObject));
  return Object.fromEntries(names.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the patterns of the service and of all its functions. */
export function readPackagePatterns(service: ServerlessService): string[] {
  const all = [service.package, ...Object.values(service.functions ?? {}).map((lambda) => lambda.package)];
  return [...new Set(all.flatMap(patternsOf))];
}

/** @returns `patterns`, and the older `include` and `exclude` written as patterns. */
export function patternsOf({ patterns = [], include = [], exclude = [] }: ServerlessPackage = {}): string[] {
  return [...include, ...exclude.map((pattern) => `!${pattern}`), ...patterns];
}
