import * as v from 'valibot';
import { config } from '../../config.ts';
import type { Page } from '../../table/query.ts';
import { type ApiEvent, pathVariable } from '../request.ts';
import { cursorCodec } from './cursor.ts';
import { cursorSecrets } from './cursor-secret.ts';

/** Query parameters of paging, which are not part of the query itself. */
const paging = new Set(['limit', 'cursor']);

/**
 * Reads and links the pages of one route. Call it at INIT, where it throws if no cursor secret is
 * configured; a secret in the parameter store is read when a page first needs it.
 * @param route what a cursor is bound to, beside the caller, the path and the query.
 */
export function pages(route: string) {
  config.cursorSecret();
  const bindingOf = (event: ApiEvent) =>
    JSON.stringify([route, event.user?.id ?? null, pathVariables(event), ownQuery(event)]);
  return {
    /**
     * @returns the entries `limit` and `cursor` for a schema of query parameters. The cursor is
     *   decrypted to its position.
     */
    entries: async (event: ApiEvent) => ({
      limit: v.nullish(
        v.pipe(
          v.string('limit_invalid'),
          v.regex(/^\d{1,3}$/, 'limit_invalid'),
          v.transform(Number),
          v.minValue(1, 'limit_invalid'),
          v.maxValue(100, 'limit_invalid'),
        ),
        '20',
      ),
      cursor: v.optional(
        v.pipe(
          v.string('cursor_invalid'),
          v.transform(await opener(event, bindingOf(event))),
          v.string('cursor_invalid'),
        ),
      ),
    }),
    /** @returns the `Link` header of the next page (RFC 8288); none on the last page. */
    async linkTo(event: ApiEvent, page: Page, next: string | undefined): Promise<Record<string, string>> {
      if (next === undefined) return {};
      const [secret = ''] = await cursorSecrets();
      const query = new URLSearchParams({
        ...ownQuery(event),
        limit: String(page.limit),
        cursor: cursorCodec(secret).seal(next, bindingOf(event)),
      });
      return { link: `<${clientPath(event)}?${query}>; rel="next"` };
    },
  };
}

/** @returns what decrypts the cursor of a request, with any of the secrets. */
async function opener(event: ApiEvent, binding: string): Promise<(cursor: string) => string | undefined> {
  if (event.queryStringParameters?.cursor === undefined) return () => undefined;
  const codecs = (await cursorSecrets()).map(cursorCodec);
  return (cursor) => {
    for (const codec of codecs) {
      const position = codec.open(cursor, binding);
      if (position !== undefined) return position;
    }
    return undefined;
  };
}

/** @returns the page for checked query parameters. */
export function pageOf({ limit, cursor }: { limit: number; cursor?: string | undefined }): Page {
  return cursor === undefined ? { limit } : { limit, before: cursor };
}

/** Decoded: `@worf` and `%40worf` are one user. */
function pathVariables(event: ApiEvent): [name: string, value: string][] {
  return Object.keys(event.pathParameters ?? {}).map((name) => [name, pathVariable(event, name)]);
}

function ownQuery(event: ApiEvent): Record<string, string> {
  const given = Object.entries(event.queryStringParameters ?? {});
  const own = given.filter(([name]) => !paging.has(name)).map(([name, value]) => [name, value ?? ''] as const);
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @returns the path as the client sent it. On the API's default domain it begins with the stage,
 * unlike `event.path`.
 */
function clientPath(event: ApiEvent): string {
  const onDefaultDomain = event.requestContext?.domainName?.includes('.execute-api.') ?? false;
  const path = onDefaultDomain ? event.requestContext.path : event.path;
  // API Gateway passes the path on unchanged. Encode characters that would end the link early.
  return path.replace(/[^\x21-\x7e]|[<>"]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}
