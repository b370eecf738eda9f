import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Encrypts the position of a page, and accepts only cursors that it made. */
export interface CursorCodec {
  /** @param binding the route, user and query that the cursor is valid for. */
  seal(position: string, binding: string): string;
  /** @returns undefined if the cursor is forged, damaged, or sealed with another binding. */
  open(cursor: string, binding: string): string | undefined;
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * Uses AES-256-GCM with a random nonce. The binding is additional authenticated data and takes no
 * space.
 */
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
      // Node ignores characters outside base64url, so a tampered cursor could still decode.
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
