import type { ApiRequest } from './runtime-api.ts';

const integrationResponse = 'application/vnd.awslambda.http-integration-response';
/** Between the JSON prelude and the body of a streamed HTTP response. */
const delimiter = Buffer.alloc(8);

/**
 * Turns a streamed response, which is taken as a whole here, into what a buffered function would
 * have answered: an HTTP response with its prelude becomes a proxy result (`statusCode`, `headers`,
 * `body`), JSON stays as it is, and anything else becomes a JSON string.
 */
export function readStreamedResponse(request: ApiRequest): string {
  const { body } = request;
  if (request.headers['content-type'] !== integrationResponse) {
    const text = body.toString('utf8');
    return isJson(text) ? text : JSON.stringify(text);
  }
  const end = body.indexOf(delimiter);
  const prelude = parsePrelude(body.subarray(0, end < 0 ? body.length : end).toString('utf8'));
  const content = end < 0 ? Buffer.alloc(0) : body.subarray(end + delimiter.length);
  const isText = Buffer.from(content.toString('utf8')).equals(content);
  return JSON.stringify({
    statusCode: prelude.statusCode ?? 200,
    headers: prelude.headers ?? {},
    ...(prelude.cookies && { multiValueHeaders: { 'Set-Cookie': prelude.cookies } }),
    body: content.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  });
}

interface Prelude {
  statusCode?: number;
  headers?: Record<string, string>;
  cookies?: string[];
}

function parsePrelude(json: string): Prelude {
  try {
    const prelude: unknown = JSON.parse(json);
    return typeof prelude === 'object' && prelude !== null ? prelude : {};
  } catch {
    // API Gateway answers such a response with 502, as it does a proxy result without a valid
    // status.
    return { statusCode: 502 };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
