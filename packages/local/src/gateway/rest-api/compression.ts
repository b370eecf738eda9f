import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { GatewayAnswer } from '../answer.ts';
import { maxBodyBytes } from '../event-body.ts';
import { type GatewayRequest, lastValue } from '../gateway-request.ts';
import { type GatewayError, gatewayErrors } from '../responses/gateway-responses.ts';

/**
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-enable-compression.html
 */
const coders = {
  gzip: { compress: gzipSync, inflate: gunzipSync },
  deflate: { compress: deflateSync, inflate: inflateSync },
};

const isCoder = (name: string): name is keyof typeof coders => Object.hasOwn(coders, name);

/**
 * Inflates the body of a request where the API compresses (`minimumCompressionSize` is set); its
 * `Content-Encoding` header goes, as the function sees the plain body. Without compression the
 * bytes go on as they are.
 */
export function inflateBody(
  request: GatewayRequest,
  body: Buffer,
  minimumCompressionSize: number | undefined,
): Buffer | GatewayError {
  const encoding = lastValue(request, 'content-encoding')?.trim().toLowerCase();
  if (minimumCompressionSize === undefined || !encoding || body.length === 0) return body;
  if (encoding !== 'identity' && !isCoder(encoding)) return gatewayErrors.unsupportedMediaType;
  try {
    const plain = isCoder(encoding) ? coders[encoding].inflate(body, { maxOutputLength: maxBodyBytes }) : body;
    request.headers.delete('content-encoding');
    return plain;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE' ? gatewayErrors.bodyTooLarge : gatewayErrors.badRequest;
  }
}

function acceptedCoding(accept: string | undefined): keyof typeof coders | undefined {
  const wanted = (accept ?? '').split(',').flatMap((part) => {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const quality = parameters.map((text) => /^q=(.*)$/.exec(text)?.[1]).find((text) => text !== undefined);
    return Number(quality ?? 1) > 0 ? [{ name, quality: Number(quality ?? 1) }] : [];
  });
  wanted.sort((a, b) => b.quality - a.quality);
  for (const { name } of wanted) {
    if (name === '*') return 'gzip';
    if (name === 'identity') return undefined;
    if (isCoder(name)) return name;
  }
  return undefined;
}

/**
 * Compresses an answer of at least `minimumCompressionSize` bytes for a client that takes it,
 * unless its back end has already.
 */
export function compressAnswer(
  answer: GatewayAnswer,
  minimumCompressionSize: number | undefined,
  accept: string | undefined,
): GatewayAnswer {
  const coding = acceptedCoding(accept);
  if (minimumCompressionSize === undefined || !coding || answer.body.length === 0) return answer;
  const encoded = answer.headers.some(([name]) => name.toLowerCase() === 'content-encoding');
  if (encoded || answer.body.length < minimumCompressionSize) return answer;
  return {
    ...answer,
    headers: [...answer.headers, ['Content-Encoding', coding]],
    body: coders[coding].compress(answer.body),
  };
}
