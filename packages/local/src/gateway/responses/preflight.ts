import type { LocalCors } from '../../service/model.ts';
import type { GatewayAnswer } from '../answer.ts';

function originPattern(origin: string): RegExp {
  const escaped = origin.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.+');
  return new RegExp(`^${escaped}$`);
}

/**
 * Answers an OPTIONS request as the MOCK integration does that Serverless generates for `cors`:
 * always 200, with the first origin unless the request's own is one of the list (`*` stands for one
 * or more characters).
 */
export function preflightAnswer(cors: LocalCors, origin: string | undefined): GatewayAnswer {
  const [first = '*'] = cors.origins;
  const matched = first !== '*' && origin && cors.origins.some((allowed) => originPattern(allowed).test(origin));
  const methods = cors.methods.join(',').replace('ANY', 'DELETE,GET,HEAD,PATCH,POST,PUT');
  const headers: [string, string][] = [
    ['Content-Type', 'application/json'],
    ['Access-Control-Allow-Origin', matched ? origin : first],
    ['Access-Control-Allow-Headers', cors.headers.join(',')],
    ['Access-Control-Allow-Methods', methods],
  ];
  if (cors.allowCredentials) headers.push(['Access-Control-Allow-Credentials', 'true']);
  if (cors.maxAgeSeconds) headers.push(['Access-Control-Max-Age', String(cors.maxAgeSeconds)]);
  return { status: 200, headers, body: Buffer.alloc(0) };
}
