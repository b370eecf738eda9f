import { createHash } from 'node:crypto';

/** The public fields of a message. Times are ISO 8601. */
export interface Message {
  uuid: string;
  message_group_uuid: string;
  display_name: string;
  handle: string;
  message: string;
  created_at: string;
}

/** A conversation as one member sees it: the other member, and the last message. */
export interface MessageGroup {
  uuid: string;
  display_name: string;
  handle: string;
  message: string;
  created_at: string;
}

/** The namespace of the message groups' version 5 uuids (RFC 9562). */
const namespace = '6f2c1b7e-0d53-4d0e-9a55-3a9be6d6f5c1';

/**
 * @returns the uuid of the one group of two users, the same whoever writes first (RFC 9562,
 *   version 5).
 */
export function groupUuidOf(oneUserUuid: string, otherUserUuid: string): string {
  const name = [oneUserUuid, otherUserUuid].sort().join(' ');
  return uuidFromName(namespace, name);
}

/** @returns the version 5 uuid of `name` in `space` (RFC 9562, section 5.5). */
export function uuidFromName(space: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(space.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
