import { runScript } from '../../script.ts';

/**
 * Runs the seed script of `custom.local.seed` once.
 * @param file relative to `directory`, the service's folder.
 * @throws {LocalFailure} when it is missing or fails.
 */
export function runSeed(file: string, directory: string, environment: Record<string, string>): Promise<void> {
  return runScript({ setting: 'custom.local.seed', file, directory, environment });
}
