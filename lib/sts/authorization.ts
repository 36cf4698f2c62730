import { isCompactJws } from './token-claims.ts';

/** What a request to the STS brings: the account's key, or an access token of Microsoft Entra. */
export type StsAuthorization =
  | { readonly kind: 'key'; readonly accountId: string; readonly key: string }
  | { readonly kind: 'token'; readonly token: string };

const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const accountKey = new RegExp(`^(${GUID}):([\\x21-\\x7e]{1,512})$`, 'i');
const guid = new RegExp(`^${GUID}$`, 'i');

/**
 * Reads an Authorization header as the STS takes it (contract 4.1): `Bearer {accountId}:{accountKey}` or `Bearer {JWT}`.
 * The account id comes in lower case. Undefined for anything else: the caller is not known then.
 */
export function parseStsAuthorization(header: string | null | undefined): StsAuthorization | undefined {
  const credentials = /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1];
  if (credentials === undefined) return undefined;
  const [, accountId, key] = accountKey.exec(credentials) ?? [];
  if (accountId !== undefined && key !== undefined) {
    return { kind: 'key', accountId: accountId.toLowerCase(), key };
  }
  return isCompactJws(credentials) ? { kind: 'token', token: credentials } : undefined;
}

/** True for an id as accounts and tenants have it. */
export function isGuid(text: string): boolean {
  return guid.test(text);
}
