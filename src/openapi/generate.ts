import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import type { openApiDocument, RouteDescription } from './document.ts';

const template = path.join(import.meta.dirname, '../../serverless.yml');

/**
 * @returns the description of the routes of serverless.yml.
 * @throws when a variable that handlers read at INIT is missing: see placeholders.env.
 */
export async function generateDocument(): Promise<ReturnType<typeof openApiDocument>> {
  const document = await import('./document.ts');
  return document.openApiDocument(routesOf(parse(await readFile(template, 'utf8'))));
}

interface Template {
  functions: Record<string, { events?: { http?: { method: string; path: string } }[] }>;
}

function routesOf({ functions }: Template): RouteDescription[] {
  return Object.entries(functions).flatMap(([key, { events = [] }]) =>
    events.flatMap(({ http }) => (http ? [{ key, method: http.method, path: http.path }] : [])),
  );
}
