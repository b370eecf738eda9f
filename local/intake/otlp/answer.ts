import { create, type DescMessage, type MessageInitShape, toBinary, toJsonString } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type IntakeAnswer, type IntakeError, type IntakeRequest, json, mediaType } from '../http.ts';

export type Encoding = 'protobuf' | 'json';

/** @returns how the body is encoded, or undefined for a media type that OTLP does not have. */
export function encodingOf(request: IntakeRequest): Encoding | undefined {
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

/** @returns 200 with an `Export…ServiceResponse`, in the encoding and under the media type of the request. */
export function exported<Response extends DescMessage>(
  request: IntakeRequest,
  schema: Response,
  fields: MessageInitShape<Response>,
): IntakeAnswer {
  const response = create(schema, fields);
  return {
    status: 200,
    headers: { 'content-type': mediaType(request.headers) },
    body: encodingOf(request) === 'json' ? toJsonString(schema, response) : toBinary(schema, response),
  };
}

/** Of google.rpc.Code. */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;
const CODES: Record<number, number> = { 404: NOT_FOUND, 405: UNIMPLEMENTED, 413: RESOURCE_EXHAUSTED };

/** @returns the error's status with a google.rpc.Status body, in the encoding of the request; JSON where that is unknown. */
export function refused(error: IntakeError, request: IntakeRequest): IntakeAnswer {
  const code = CODES[error.status] ?? INVALID_ARGUMENT;
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
