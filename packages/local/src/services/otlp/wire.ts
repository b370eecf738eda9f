import type { DescMessage } from '@bufbuild/protobuf';
import { HttpError } from '../../http/http-error.ts';
import type { ReceiverLimits } from '../../receiver/receiver.ts';

const varintType = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

/** Field number to the message that it holds, or null for a scalar. */
type MessageFields = Map<number, DescMessage | null>;
const fieldsBySchema = new WeakMap<DescMessage, MessageFields>();

function messageFields(schema: DescMessage): MessageFields {
  let fields = fieldsBySchema.get(schema);
  if (!fields) {
    fields = new Map(schema.fields.map((field) => [field.number, field.message ?? null]));
    fieldsBySchema.set(schema, fields);
  }
  return fields;
}

/**
 * Walks protobuf bytes without building anything, because an empty message costs two bytes on the
 * wire and a hundred once decoded: twenty megabytes of them would take gigabytes.
 * @throws HttpError 413 when messages nest or count beyond the limits, 400 when the bytes are not
 *   protobuf
 */
export function assertWireLimits(
  bytes: Uint8Array,
  schema: DescMessage,
  limits: Pick<ReceiverLimits, 'depth' | 'objects'>,
): void {
  let position = 0;
  let messages = 0;

  function malformed(): HttpError {
    return new HttpError(400, `The body is not a valid ${schema.name}: malformed at byte ${position}.`);
  }

  function varint(): number {
    let value = 0;
    let factor = 1;
    for (let read = 0; read < 10; read++) {
      const byte = bytes[position++];
      if (byte === undefined) throw malformed();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw malformed();
  }

  function walk(message: DescMessage, end: number, depth: number): void {
    if (depth > limits.depth) throw new HttpError(413, `The messages nest deeper than ${limits.depth} levels.`);
    if (++messages > limits.objects) throw new HttpError(413, `The body holds more than ${limits.objects} messages.`);
    const fields = messageFields(message);
    while (position < end) {
      const tag = varint();
      const number = Math.floor(tag / 8);
      if (number === 0) throw malformed();
      switch (tag % 8) {
        case varintType:
          varint();
          break;
        case fixed64:
          position += 8;
          break;
        case fixed32:
          position += 4;
          break;
        case lengthDelimited: {
          const length = varint();
          const next = position + length;
          if (next > end) throw malformed();
          const inner = fields.get(number);
          if (inner) walk(inner, next, depth + 1);
          position = next;
          break;
        }
        // Groups are gone from proto3, and OTLP never had one.
        default:
          throw malformed();
      }
      if (position > end) throw malformed();
    }
  }

  walk(schema, bytes.length, 1);
}
