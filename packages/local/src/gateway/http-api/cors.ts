import type { LocalHttpCors } from '../../service/apis/api-model.ts';
import type { GatewayAnswer } from '../answer.ts';
import { type GatewayRequest, lastValue } from '../gateway-request.ts';

function allowedOrigin({ allowedOrigins, allowCredentials }: LocalHttpCors, origin: string): string | undefined {
  const matches = allowedOrigins.some((allowed) => {
    if (allowed === '*' || allowed.toLowerCase() === origin.toLowerCase()) return true;
    // `https://*` and `http://*` are the wildcards that an HTTP API knows.
    return /^https?:\/\/\*$/.test(allowed) && origin.startsWith(allowed.slice(0, -1));
  });
  if (!matches) return undefined;
  return allowedOrigins.includes('*') && !allowCredentials ? '*' : origin;
}

/** @returns the headers that let the page of `Origin` read an answer; none for other pages. */
export function corsHeaders(cors: LocalHttpCors | undefined, request: GatewayRequest): [string, string][] {
  const origin = lastValue(request, 'origin');
  const allowed = cors && origin !== undefined ? allowedOrigin(cors, origin) : undefined;
  if (!cors || allowed === undefined) return [];
  return [
    ['access-control-allow-origin', allowed],
    ...(allowed === '*' ? [] : [['vary', 'Origin'] as [string, string]]),
    ...(cors.allowCredentials ? [['access-control-allow-credentials', 'true'] as [string, string]] : []),
    ...(cors.exposedHeaders.length > 0
      ? [['access-control-expose-headers', cors.exposedHeaders.join(',')] as [string, string]]
      : []),
  ];
}

/** @returns whether a request is a preflight, which an API with CORS settings answers itself. */
export function isPreflight(request: GatewayRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('origin') &&
    request.headers.has('access-control-request-method')
  );
}

/** Answers a preflight: 204, without any CORS header for a page that may not call. */
export function preflight(cors: LocalHttpCors, request: GatewayRequest): GatewayAnswer {
  const allowed = corsHeaders(cors, request);
  const more: [string, string][] =
    allowed.length === 0
      ? []
      : [
          ['access-control-allow-methods', cors.allowedMethods.join(',')],
          ['access-control-allow-headers', cors.allowedHeaders.join(',').toLowerCase()],
          ...(cors.maxAgeSeconds === undefined
            ? []
            : [['access-control-max-age', String(cors.maxAgeSeconds)] as [string, string]]),
        ];
  return { status: 204, headers: [...allowed, ...more], body: Buffer.alloc(0) };
}

/**
 * Replaces the CORS headers of a function by those of the API, which win where it has any settings.
 */
export function withCors(
  answer: GatewayAnswer,
  cors: LocalHttpCors | undefined,
  request: GatewayRequest,
): GatewayAnswer {
  if (!cors) return answer;
  const kept = answer.headers.filter(([name]) => !/^access-control-/i.test(name));
  return { ...answer, headers: [...kept, ...corsHeaders(cors, request)] };
}
