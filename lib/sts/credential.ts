import type { TokenCredential } from '@azure/identity';
import { withoutSecrets } from '#lib/identity';
import { headerSafe } from './header-safe.ts';
import { StsError } from './sts-error.ts';
import { MAX_TOKEN_LENGTH } from './token-claims.ts';

/** How to prove to the STS who asks, exactly one of: the account's key, any Microsoft Entra credential, a ready access token. */
export type StsCredential =
  | { readonly key: string }
  | TokenCredential
  | { readonly token: string; readonly expiresOnTimestamp: number };

export type CheckedCredential =
  | { readonly kind: 'key'; readonly bearer: string; readonly secrets: readonly string[] }
  | { readonly kind: 'entra'; readonly credential: TokenCredential }
  | { readonly kind: 'ready'; readonly token: string; readonly expiresOn: Date };

/** What is to be sent as the bearer, and what of it must never be shown. */
export interface Bearer {
  readonly value: string;
  readonly secrets: readonly string[];
}

const MAX_KEY_LENGTH = 512;

/** @throws StsError `invalid_argument` unless it is exactly one of the three */
export function checkCredential(credential: unknown, accountId: string): CheckedCredential {
  const found = [keyOf, entraOf, readyOf].flatMap((read) => read(credential, accountId) ?? []);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new StsError(
    'invalid_argument',
    'The credential must be exactly one of { key } with the account key, a TokenCredential with getToken(), ' +
      'or a ready access token as { token, expiresOnTimestamp } with milliseconds since 1970.',
  );
}

/**
 * Takes the bearer for one request.
 * @throws StsError `credential` where the credential gives none
 */
export async function bearerOf(
  credential: Exclude<CheckedCredential, { kind: 'ready' }>,
  scope: string,
  abortSignal: AbortSignal,
): Promise<Bearer> {
  if (credential.kind === 'key') return { value: credential.bearer, secrets: credential.secrets };
  const token = await entraToken(credential.credential, scope, abortSignal);
  return { value: token, secrets: [token] };
}

async function entraToken(credential: TokenCredential, scope: string, abortSignal: AbortSignal): Promise<string> {
  const given = await getToken(credential, scope, abortSignal);
  if (typeof given?.token === 'string' && given.token !== '') {
    return headerSafe("The credential's token", given.token, MAX_TOKEN_LENGTH);
  }
  throw new StsError('credential', `The credential gave no token for the scope ${scope}.`);
}

async function getToken(credential: TokenCredential, scope: string, abortSignal: AbortSignal) {
  try {
    return await credential.getToken(scope, { abortSignal });
  } catch (error) {
    throw new StsError('credential', `The credential could not get a token for the scope ${scope}.`, {
      cause: withoutSecrets(error),
    });
  }
}

function keyOf(credential: unknown, accountId: string): CheckedCredential | undefined {
  const key = propertyOf(credential, 'key');
  if (typeof key !== 'string') return undefined;
  headerSafe('The account key', key, MAX_KEY_LENGTH);
  const bearer = `${accountId}:${key}`;
  return { kind: 'key', bearer, secrets: [bearer, key] };
}

function entraOf(credential: unknown): CheckedCredential | undefined {
  return isTokenCredential(credential) ? { kind: 'entra', credential } : undefined;
}

function readyOf(credential: unknown): CheckedCredential | undefined {
  const token = propertyOf(credential, 'token');
  const expiresOn = new Date(Number(propertyOf(credential, 'expiresOnTimestamp')));
  if (typeof token !== 'string' || Number.isNaN(expiresOn.getTime())) return undefined;
  return { kind: 'ready', token: headerSafe('The access token', token, MAX_TOKEN_LENGTH), expiresOn };
}

function isTokenCredential(credential: unknown): credential is TokenCredential {
  return typeof propertyOf(credential, 'getToken') === 'function';
}

/** Also where it is a getter of a class, as `key` is in the Azure packages' AzureKeyCredential. */
function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
