import { createHash } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { rolesAmong } from '#lib/api';
import type { Caller } from './caller.ts';
import { ProblemError, unauthenticated } from './problem.ts';
import { Remembered } from './remembered.ts';

/** Whose access tokens are taken. */
export interface EntraOptions {
  /** Base URL of the authority, without a slash at its end. */
  readonly authority: string;
  readonly tenantIds: readonly string[];
  readonly audiences: readonly string[];
  readonly now: () => Date;
}

const CLOCK_SKEW_SECONDS = 60;
const REMEMBER_SECONDS = 60;
const REMEMBERED_TOKENS = 10_000;
/** Tokens with very many roles and claims have a few thousand characters; Node refuses headers over 16 KiB. */
const MAX_TOKEN_LENGTH = 12_288;
const CONFIGURATION_SECONDS = 86_400;
const ANSWER_MILLISECONDS = 5000;

const configuration = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https$/ }) });
const untrusted = z.object({ tid: z.string() });
const claims = z.object({
  tid: z.string(),
  oid: z.string().regex(/^[A-Za-z0-9._@:-]{1,128}$/),
  exp: z.number(),
  roles: z.array(z.string()).default([]),
});

interface Tenant {
  readonly issuer: string;
  readonly keys: JWTVerifyGetKey;
}

/** Verifies access tokens of Microsoft Entra, version 2.0: signature by the tenant's keys, issuer, audience, tenant and times. */
export class EntraTokens {
  readonly #options: EntraOptions;
  readonly #verified: Remembered<Caller>;
  readonly #tenants: Remembered<Promise<Tenant>>;

  constructor(options: EntraOptions) {
    this.#options = options;
    this.#verified = new Remembered(REMEMBERED_TOKENS, options.now);
    this.#tenants = new Remembered(options.tenantIds.length, options.now);
  }

  /**
   * The caller that a token speaks for. A token that was verified is remembered, by its hash, for a minute at most and never past its end.
   * @throws ProblemError 401 with the reason; 503 where the authority does not answer
   */
  async verify(token: string): Promise<Caller> {
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#verified.get(hash);
    if (known !== undefined) return known;
    if (token.length > MAX_TOKEN_LENGTH) throw unauthenticated('The token is too long.');
    const tenant = await this.#tenantOf(token);
    const { payload } = await jwtVerify(token, tenant.keys, {
      algorithms: ['RS256'],
      issuer: tenant.issuer,
      audience: [...this.#options.audiences],
      // An ID token may have the same audience; only an access token says which application it was issued to.
      requiredClaims: ['exp', 'nbf', 'oid', 'tid', 'azp'],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: this.#options.now(),
    }).catch((error: unknown) => {
      throw refusal(error);
    });
    const parsed = claims.safeParse(payload);
    if (!parsed.success) throw unauthenticated('The token lacks an object id, or its roles are no list.');
    const { oid, tid, exp, roles } = parsed.data;
    const caller = { subject: oid, tenantId: tid, roles: rolesAmong(roles) };
    this.#verified.set(hash, caller, Math.min(this.#options.now().getTime() + REMEMBER_SECONDS * 1000, exp * 1000));
    return caller;
  }

  /** The tenant is read before anything is verified, only to choose whose keys and issuer the token must have. */
  async #tenantOf(token: string): Promise<Tenant> {
    const tenantId = tenantIn(token);
    if (!this.#options.tenantIds.includes(tenantId)) throw unauthenticated('The tenant of the token is not let in.');
    const asked = this.#tenants.get(tenantId) ?? this.#ask(tenantId);
    this.#tenants.set(tenantId, asked, this.#options.now().getTime() + CONFIGURATION_SECONDS * 1000);
    try {
      return await asked;
    } catch (cause) {
      if (this.#tenants.get(tenantId) === asked) this.#tenants.delete(tenantId);
      throw authorityUnavailable(cause);
    }
  }

  async #ask(tenantId: string): Promise<Tenant> {
    const url = `${this.#options.authority}/${tenantId}/v2.0/.well-known/openid-configuration`;
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MILLISECONDS) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
    const { issuer, jwks_uri } = configuration.parse(await response.json());
    return { issuer, keys: createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: ANSWER_MILLISECONDS }) };
  }
}

function tenantIn(token: string): string {
  try {
    // Before any key is asked for: another algorithm, or none, is no token of Microsoft Entra.
    if (decodeProtectedHeader(token).alg !== 'RS256') throw unauthenticated('The token is not signed with RS256.');
    return untrusted.parse(decodeJwt(token)).tid;
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw unauthenticated('This is no access token.', error);
  }
}

/** The reason in words of ours: a token's own text never comes back. */
function refusal(error: unknown): ProblemError {
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.', error);
  if (error instanceof errors.JWTClaimValidationFailed) return unauthenticated(reasonOf(error), error);
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return authorityUnavailable(error);
  // jose says so of a key set that could not be had, and of nothing else.
  if (error.code === 'ERR_JOSE_GENERIC') return authorityUnavailable(error);
  return unauthenticated('The signature of the token does not hold.', error);
}

function reasonOf({ claim, reason }: errors.JWTClaimValidationFailed): string {
  switch (claim) {
    case 'iss':
      return 'The token has another issuer; it must be a version 2.0 token of its tenant.';
    case 'aud':
      return 'The token is for another audience.';
    case 'nbf':
      return reason === 'missing' ? 'The token does not say from when it holds.' : 'The token is not valid yet.';
    default:
      return 'A claim of the token is missing or wrong.';
  }
}

function authorityUnavailable(cause: unknown): ProblemError {
  const detail = 'Microsoft Entra does not tell its keys at the moment, so that no caller can be known. Try again.';
  const headers = { 'Retry-After': '5' };
  return new ProblemError(
    { status: 503, type: 'authority-unavailable', title: 'The authority does not answer', detail, headers },
    { cause },
  );
}
