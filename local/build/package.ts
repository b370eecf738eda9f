import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { LocalService } from '../service/model.ts';
import type { ServerlessService } from '../service/serverless.ts';
import { bundleHandlers } from './bundle.ts';
import { findHandlerSource, handlerStem } from './sources.ts';

/** Any fixed time: the same bundle must give the same zip, or every deployment would look like a change. Zip's own calendar begins in 1980. */
const fixedTime = new Date(Date.UTC(1980, 0, 1));

/**
 * Bundles every handler that is written in TypeScript and names its zip as the function's artefact, which Serverless then deploys as it is.
 * Functions in JavaScript are left to Serverless' own packaging.
 * @param directories absolute: where the bundles and where the zips go.
 * @throws {LocalFailure} when a handler is missing or does not build.
 */
export async function packageFunctions(
  service: LocalService,
  definitions: ServerlessService,
  directories: { bundles: string; artifacts: string },
): Promise<void> {
  const sources = service.functions
    .filter((lambda) => !definitions.functions?.[lambda.key]?.package?.artifact)
    .map((lambda) => findHandlerSource(lambda, service.directory))
    .filter((source) => source.kind === 'typescript');
  if (sources.length === 0) return;
  await bundleHandlers(sources, directories.bundles, service.directory);
  for (const { lambda } of sources) {
    const definition = definitions.functions?.[lambda.key];
    if (!definition) continue;
    const file = `${path.posix.normalize(handlerStem(lambda.handler))}.cjs`;
    const artifact = path.join(directories.artifacts, `${lambda.key}.zip`);
    await zipOne(path.join(directories.bundles, file), file, artifact);
    definition.package = { ...definition.package, individually: true, artifact };
  }
}

async function zipOne(source: string, name: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const zip = new ZipFile();
  zip.addFile(source, name, { mtime: fixedTime, mode: 0o100644 });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
}
