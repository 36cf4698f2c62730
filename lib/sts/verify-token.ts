import { errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { ROLES, type Role } from '#lib/api';
import { withoutSecrets } from '#lib/identity';
import { StsError } from './sts-error.ts';
import { isCompactJws } from './token-claims.ts';
import type { TokenSigner } from './token-signer.ts';

/** Who a token of ours was issued to. */
export interface StsCaller {
  readonly subject: string;
  readonly role: Role;
  /** All zeros where the account's key was the way in. */
  readonly tenantId: string;
  /** The key that the token is signed with: revoking it revokes the token. */
  readonly kid: string;
  readonly expiresOn: Date;
}

export interface Expectations {
  readonly issuer: string;
  readonly audience: string;
  readonly accountId: string;
}

/** How far the clocks of two instances may differ. */
const SKEW_SECONDS = 30;

const claims = z.object({
  sub: z.string().min(1),
  exp: z.number(),
  tid: z.guid(),
  /** Exactly one, and one that we know. */
  roles: z.tuple([z.enum(ROLES)]),
});

/**
 * Judges a token that a caller brings. Only RS256 and only our own keys count: whatever the token says of other keys (`jwk`, `jku`,
 * `x5c`, `x5u`) is not looked at.
 * @throws StsError `invalid_token`, with a reason that the caller may see
 */
export async function verifyToken(
  token: string,
  { issuer, audience, accountId }: Expectations,
  signer: TokenSigner,
  now: Date,
): Promise<StsCaller> {
  if (!isCompactJws(token)) throw refused('it is no signed token');
  const { payload, kid } = await checkSignature(token, signer, {
    issuer,
    audience,
    currentDate: now,
  });
  if (payload['aid'] !== accountId) throw refused('it is of another account');
  const parsed = claims.safeParse(payload);
  if (!parsed.success) {
    const [claim = 'a claim'] = parsed.error.issues.map((issue) => String(issue.path[0]));
    throw refused(`${claim} is not as we issue it`);
  }
  const { sub, exp, tid, roles } = parsed.data;
  return { subject: sub, role: roles[0], tenantId: tid, kid, expiresOn: new Date(exp * 1000) };
}

async function checkSignature(
  token: string,
  signer: TokenSigner,
  expected: { readonly issuer: string; readonly audience: string; readonly currentDate: Date },
): Promise<{ readonly payload: JWTPayload; readonly kid: string }> {
  const keyOf = async ({ kid }: { readonly kid?: string }) => {
    const key = typeof kid === 'string' && /^[0-9A-F]{40}$/.test(kid) ? await signer.publicKey(kid) : undefined;
    if (key === undefined) throw refused('it is signed with a key that is not ours, or not any more');
    return key;
  };
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
      ...expected,
      algorithms: ['RS256'],
      typ: 'JWT',
      clockTolerance: SKEW_SECONDS,
      requiredClaims: ['exp', 'nbf', 'iat'],
    });
    return { payload, kid: String(protectedHeader.kid) };
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(reasonOf(error), error);
    throw error;
  }
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? 'it is not valid yet'
      : `${error.claim} is not as we issue it`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is not signed by RS256';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature does not fit';
  return 'it is no token of this service';
}

function refused(reason: string, cause?: unknown): StsError {
  return new StsError(
    'invalid_token',
    `The Mixed Reality token is not accepted: ${reason}. Get a new one from the STS.`,
    {
      ...(cause !== undefined && { cause: withoutSecrets(cause) }),
    },
  );
}
