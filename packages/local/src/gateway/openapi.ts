import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import type { LocalService } from '../service/model.ts';

/**
 * Answers `GET /openapi.json` from the file that `custom.local.openapi` names, read anew each time.
 * API Gateway does not serve a description, so the request has no trace.
 * @returns whether the request was for it; false without the setting.
 */
export function answersOpenApi(
  { settings, directory }: LocalService,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): boolean {
  if (!settings.openapi || incoming.method !== 'GET' || incoming.url !== '/openapi.json') return false;
  readFile(path.resolve(directory, settings.openapi)).then(
    (description) => outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(description),
    () => {
      const message = `custom.local.openapi: ${settings.openapi} cannot be read.`;
      outgoing.writeHead(404, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
    },
  );
  return true;
}
