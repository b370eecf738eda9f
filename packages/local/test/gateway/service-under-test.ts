import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createGateway, type RunningGateway } from '../../src/gateway/index.ts';
import { createLambdaPlatform } from '../../src/lambda/index.ts';
import type { LocalService } from '../../src/service/model.ts';
import { readService } from '../../src/service/read.ts';
import type { ServerlessInstance, ServerlessService } from '../../src/service/serverless.ts';
import type { SegmentDocument } from '../../src/trace/records.ts';

export interface ServiceUnderTest extends RunningGateway {
  service: LocalService;
  warnings: string[];
  directory: string;
  segments: SegmentDocument[];
  rejected: string[];
}

/** Serverless's own object for a service whose configuration is `source`, as far as it is read. */
export function serverlessInstance(source: Partial<ServerlessService>, directory = '/nowhere'): ServerlessInstance {
  return {
    serviceDir: directory,
    service: {
      service: 'shop',
      ...source,
      provider: { name: 'aws', runtime: 'nodejs24.x', ...source.provider },
    },
    configurationFilename: 'serverless.yml',
    processedInput: { commands: ['local'] },
    pluginManager: { plugins: [], spawn: async () => {} },
    config: {},
    classes: { Error: class extends Error {} },
    configSchemaHandler: { defineCustomProperties: () => {} },
    getProvider: () => ({
      getStage: () => 'dev',
      getRegion: () => 'eu-central-1',
      naming: {
        getApiGatewayName: () => 'dev-shop',
        getRestApiLogicalId: () => 'ApiGatewayRestApi',
        getLambdaLogicalId: (key) => `${key[0]?.toUpperCase()}${key.slice(1)}LambdaFunction`,
        getLambdaLayerLogicalId: (key) => `${key}LambdaLayer`,
      },
    }),
  };
}

/**
 * Starts the gateway of a service over real Lambda processes.
 * @param source what serverless.yml says
 * @param code index.js of all functions: `handler: index.<name>`
 */
export async function serviceUnderTest(
  source: (directory: string) => Partial<ServerlessService>,
  code: string,
): Promise<ServiceUnderTest> {
  const directory = mkdtempSync(path.join(tmpdir(), 'throughline-service-'));
  writeFileSync(path.join(directory, 'index.js'), code);
  const { service, warnings } = readService(serverlessInstance(source(directory), directory));
  const segments: SegmentDocument[] = [];
  const rejected: string[] = [];
  const nowhere = (): void => {};
  const sink = {
    segment: (document: SegmentDocument) => void segments.push(structuredClone(document)),
    span: nowhere,
    log: nowhere,
    metric: nowhere,
    error: nowhere,
    rejected: (_: string, reason: string, detail: string) => void rejected.push(`${reason} ${detail}`),
  };
  const lambda = await createLambdaPlatform({ service, sink, codeDirectory: async () => directory, environment: {} });
  const gateway = await createGateway({ service, lambda, sink, port: 0 });
  return {
    ...gateway,
    service,
    warnings,
    directory,
    segments,
    rejected,
    async stop() {
      await gateway.stop();
      await lambda.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
