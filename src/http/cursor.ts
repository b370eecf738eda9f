import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Hides where a page begins from the caller, and knows its own again. */
export interface CursorCodec {
  /** @param binding what the cursor is good for alone: route, user, query. */
  seal(position: string, binding: string): string;
  /** @returns undefined for a cursor that is forged, damaged, or was sealed for something else. */
  open(cursor: string, binding: string): string | undefined;
}

const ivBytes = 12;
const tagBytes = 16;

/** AES-256-GCM with a random nonce; the binding is authenticated with it, and takes no space. */
export function cursorCodec(secret: string): CursorCodec {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'cruddur cursor', 32));
  return {
    seal(position, binding) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(binding));
      const sealed = Buffer.concat([cipher.update(position, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open(cursor, binding) {
      const bytes = Buffer.from(cursor, 'base64url');
      // Node skips what is no base64url; a cursor that was tampered with so would still open.
      if (bytes.length <= ivBytes + tagBytes || bytes.toString('base64url') !== cursor) return undefined;
      try {
        const iv = bytes.subarray(0, ivBytes);
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(binding)).setAuthTag(bytes.subarray(-tagBytes));
        return decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
