import { createHmac } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { unauthorized } from './api-error.ts';

/** The keys of a resource whose local authentication is on; there are none where it is off. A key is its text in UTF-8, undecoded. */
export type AccessKeys = readonly string[];

/**
 * Verifies a REST call that the holder of an access key signed: HS256, with the call's URL as its audience, in any case, with or
 * without the query.
 * @throws ApiError 401
 */
export async function verifyKeyToken(token: string, url: string, keys: AccessKeys, now: Date): Promise<void> {
  if (keys.length === 0) throw unauthorized('Local authentication is disabled: access keys are not accepted here.');
  const urls = new Set([url, url.replace(/\?.*$/s, '')].map((each) => each.toLowerCase()));
  const aud = await verifyWithKeys(token, keys, now).then((claims) => claims.aud);
  const audiences = typeof aud === 'string' ? [aud] : (aud ?? []);
  if (!audiences.some((each) => urls.has(each.toLowerCase()))) throw unauthorized('The token is for another URL.');
}

/** The claims of a token that one of the keys signed and that is valid now. Throws ApiError 401. */
export async function verifyWithKeys(token: string, keys: readonly (string | Uint8Array)[], now: Date) {
  let reason = 'there is no key for it';
  for (const key of keys) {
    try {
      const secret = typeof key === 'string' ? new TextEncoder().encode(key) : key;
      const options = { algorithms: ['HS256'], requiredClaims: ['exp', 'aud'], currentDate: now };
      return (await jwtVerify(token, secret, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      reason = error.message;
    }
  }
  throw unauthorized(`The token is refused: ${reason}.`);
}

/** What a webhook proves its sender with, for every key (CloudEvents extension `ce-signature`); undefined without keys. */
export function signatureOf(connectionId: string, keys: AccessKeys): string | undefined {
  const signatures = keys.map((key) => `sha256=${createHmac('sha256', key).update(connectionId).digest('hex')}`);
  return signatures.length === 0 ? undefined : signatures.join(',');
}
