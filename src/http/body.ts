import { failure } from '../errors.ts';
import { type ApiEvent, type ApiExchange, type ApiMiddleware, header } from './request.ts';

/** Lambda's limit of a request payload. */
const mostBytes = 6 * 1024 * 1024;

/** Refuses a body larger than 6 MB before anything reads it. */
export function bodyLimit(): ApiMiddleware {
  return {
    before: function refuseLargeBody({ event }: ApiExchange) {
      if (byteLength(event) > mostBytes) throw failure('body_too_large');
    },
  };
}

/** Parses the request body as JSON in UTF-8. */
export function jsonBody(): ApiMiddleware {
  return {
    before: function parseJsonBody({ event }: ApiExchange) {
      if (!isJson(header(event, 'content-type'))) throw failure('unsupported_media_type');
      event.json = parse(event);
    },
  };
}

function byteLength({ body, isBase64Encoded }: ApiEvent): number {
  return Buffer.byteLength(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
}

/**
 * `application/json` or a `+json` type (RFC 6839), in UTF-8 if it names a charset at all (RFC 8259,
 * section 8.1).
 */
function isJson(contentType = ''): boolean {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  if (!/^application\/([a-z0-9!#$&^_.-]+\+)?json$/.test(type)) return false;
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  return charset === undefined || /^charset="?utf-?8"?$/.test(charset);
}

function parse({ body, isBase64Encoded }: ApiEvent): unknown {
  try {
    if (!isBase64Encoded) return JSON.parse(body ?? '');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body ?? '', 'base64')));
  } catch {
    throw failure('body_not_json');
  }
}
