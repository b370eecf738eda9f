import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { HttpError } from '../../http/http-error.ts';
import { json, mediaType, type ReceiverAnswer, type ReceiverRequest } from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';

export type Encoding = 'protobuf' | 'json';

/** @returns how the body is encoded, or undefined for a media type that OTLP does not have. */
export function encodingOf(request: ReceiverRequest): Encoding | undefined {
  switch (mediaType(request.headers)) {
    case 'application/x-protobuf':
    case 'application/protobuf':
      return 'protobuf';
    case 'application/json':
      return 'json';
    default:
      return undefined;
  }
}

/**
 * @returns 200 with an `Export…ServiceResponse`, in the encoding and under the media type of the
 * request.
 */
export function exported<Response extends DescMessage>(
  request: ReceiverRequest,
  schema: Response,
  fields: MessageInitShape<Response>,
): ReceiverAnswer {
  const response = create(schema, fields);
  return {
    status: 200,
    headers: { 'content-type': mediaType(request.headers) },
    body: encodingOf(request) === 'json' ? toJsonString(schema, response) : toBinary(schema, response),
  };
}

/** Of google.rpc.Code. */
const invalidArgument = 3;
const notFound = 5;
const resourceExhausted = 8;
const unimplemented = 12;
const codes: Record<number, number> = { 404: notFound, 405: unimplemented, 413: resourceExhausted };

/**
 * @returns the error's status with a google.rpc.Status body, in the encoding of the request; JSON
 * where that is unknown.
 */
export function refused(error: HttpError, request: ReceiverRequest): ReceiverAnswer {
  const code = codes[error.status] ?? invalidArgument;
  if (encodingOf(request) !== 'protobuf') return json(error.status, { code, message: error.message });
  // message Status { int32 code = 1; string message = 2; }
  const status = new BinaryWriter()
    .tag(1, WireType.Varint)
    .int32(code)
    .tag(2, WireType.LengthDelimited)
    .string(error.message)
    .finish();
  return { status: error.status, headers: { 'content-type': mediaType(request.headers) }, body: status };
}

/** Counts the items of one request that were refused, by reason. */
export interface Rejections {
  count: number;
  add(reason: string, place: string, count?: number): void;
  /**
   * One sentence for the sender: each reason with its number and its first place. Empty when
   * nothing was rejected.
   */
  message(noun: string): string;
}

/** @returns an empty count that also reports each item to `sink`. */
export function accountRejections(sink: TelemetrySink, receiver: string): Rejections {
  const reasons = new Map<string, { count: number; first: string }>();
  return {
    count: 0,
    add(reason, place, count = 1) {
      this.count += count;
      const known = reasons.get(reason);
      if (known) known.count += count;
      else reasons.set(reason, { count, first: place });
      for (let i = 0; i < count; i++) sink.rejected(receiver, reason, place);
    },
    message(noun) {
      if (this.count === 0) return '';
      const parts = [...reasons].map(([reason, { count, first }]) => `${count} × ${reason} (first: ${first})`);
      return `${this.count} ${noun}${this.count === 1 ? '' : 's'} rejected: ${parts.join('; ')}`;
    },
  };
}
