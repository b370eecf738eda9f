import { createHash } from 'node:crypto';

/** What a route tells of a message. Times are ISO 8601. */
export interface Message {
  uuid: string;
  message_group_uuid: string;
  display_name: string;
  handle: string;
  message: string;
  created_at: string;
}

/** A conversation as one of its members sees it: who the other is, and what was said last. */
export interface MessageGroup {
  uuid: string;
  display_name: string;
  handle: string;
  message: string;
  created_at: string;
}

/** Whose uuids name the message groups, as RFC 9562 wants a namespace for its version 5. */
const namespace = '6f2c1b7e-0d53-4d0e-9a55-3a9be6d6f5c1';

/**
 * @returns the uuid of the one group that two users have, whoever writes first, and also when both do so at once (RFC
 * 9562, version 5).
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
