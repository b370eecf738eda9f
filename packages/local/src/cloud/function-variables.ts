import { existsSync } from 'node:fs';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { localKey } from '../receiver/forward.ts';
import type { LocalService } from '../service/model.ts';

/** @returns the variable with the public keys of the local issuer, if the service has one. */
export async function identityOf({ settings, directory }: LocalService): Promise<Record<string, string>> {
  if (!settings.identity) return {};
  const { startLocalIdentity } = await import('../service/local-identity.ts');
  return { [settings.identity.jwksVariable]: JSON.stringify(await startLocalIdentity(directory, settings.identity)) };
}

/** @throws {LocalFailure} when the module that the service names does not exist. */
export function runtimeClientOf({ settings, directory }: LocalService): { runtimeClient?: string[] } {
  if (!settings.runtimeClient) return {};
  const module = path.resolve(directory, settings.runtimeClient);
  if (existsSync(module)) return { runtimeClient: [module] };
  throw new LocalFailure(`custom.local.runtimeClient is "${settings.runtimeClient}", but that file does not exist.`);
}

/**
 * The variables that make a function use this machine, and `custom.local.environment`, win over the
 * template's own values: they exist to replace them here. Rollbar's token is the exception: the
 * developer's own goes with each item, so that it can be forwarded; without one any will do, but a
 * client without a token sends nothing.
 */
export function withVariables(service: LocalService, variables: Record<string, string>): LocalService {
  const functions = service.functions.map((lambda) => ({
    ...lambda,
    environment: {
      ...lambda.environment,
      ROLLBAR_ACCESS_TOKEN: lambda.environment.ROLLBAR_ACCESS_TOKEN || localKey,
      ...variables,
    },
  }));
  return { ...service, functions };
}
