import * as v from 'valibot';
import { config } from '../config.ts';
import type { Page } from '../table/newest.ts';
import { cursorCodec } from './cursor.ts';
import { type ApiEvent, pathVariable } from './request.ts';

/** Query parameters that pages take and that are not part of what is asked. */
const paging = new Set(['limit', 'cursor']);

/**
 * The pages of one route, made at INIT so that a missing `CURSOR_SECRET` is told there.
 * @param route what a cursor is bound to, beside the caller, the path and the query.
 */
export function pages(route: string) {
  const codec = cursorCodec(config.cursorSecret());
  const bindingOf = (event: ApiEvent) =>
    JSON.stringify([route, event.user?.id ?? null, pathVariables(event), ownQuery(event)]);
  return {
    /**
     * Entries for a schema of query parameters: `limit` and `cursor`, the latter as the position that it stands for.
     */
    entries: (event: ApiEvent) => ({
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
          v.transform((cursor) => codec.open(cursor, bindingOf(event))),
          v.string('cursor_invalid'),
        ),
      ),
    }),
    /** @returns the headers that lead to the next page (RFC 8288); none on the last. */
    linkTo(event: ApiEvent, page: Page, next: string | undefined): Record<string, string> {
      if (next === undefined) return {};
      const query = new URLSearchParams({
        ...ownQuery(event),
        limit: String(page.limit),
        cursor: codec.seal(next, bindingOf(event)),
      });
      return { link: `<${clientPath(event)}?${query}>; rel="next"` };
    },
  };
}

/** @returns the page that checked query parameters ask for. */
export function pageOf({ limit, cursor }: { limit: number; cursor?: string | undefined }): Page {
  return cursor === undefined ? { limit } : { limit, before: cursor };
}

/** As they are meant: `@worf` and `%40worf` are one user. */
function pathVariables(event: ApiEvent): [name: string, value: string][] {
  return Object.keys(event.pathParameters ?? {}).map((name) => [name, pathVariable(event, name)]);
}

function ownQuery(event: ApiEvent): Record<string, string> {
  const given = Object.entries(event.queryStringParameters ?? {});
  const own = given.filter(([name]) => !paging.has(name)).map(([name, value]) => [name, value ?? ''] as const);
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The path as the client wrote it: the API's default domain has the stage in front, which `event.path` leaves out. */
function clientPath(event: ApiEvent): string {
  const onDefaultDomain = event.requestContext?.domainName?.includes('.execute-api.') ?? false;
  const path = onDefaultDomain ? event.requestContext.path : event.path;
  // API Gateway hands the path on as it came; what could end the link early is encoded all the same.
  return path.replace(/[^\x21-\x7e]|[<>"]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}
