import type { JWTPayload } from 'jose';

/**
 * The claims as the bytes of a token's payload. The Python library of the retired service decodes payloads with plain base64, which
 * drops the `-` and `_` of base64url: neither comes up where all characters are ASCII and none of `>`, `?`, `~` or DEL, so those are
 * written as JSON escapes.
 */
export function encodePayload(claims: JWTPayload): Uint8Array {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return Buffer.from(JSON.stringify(claims).replaceAll(/[^\x20-\x7d]|[>?]/g, escaped));
}
