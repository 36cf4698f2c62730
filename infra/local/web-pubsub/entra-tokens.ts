import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { ApiError, unauthorized } from './api-error.ts';

/** The audience of every token for Web PubSub, whatever resource it is for. */
const AUDIENCE = 'https://webpubsub.azure.com';
const ANSWER_MILLISECONDS = 5000;
/** After so long an unknown key has the authority asked again: on one machine, that costs nothing. */
const COOLDOWN_MILLISECONDS = 1000;

const openIdConfiguration = z.object({ issuer: z.string(), jwks_uri: z.url() });

export interface EntraOptions {
  /** Base URL, without a slash at its end. */
  readonly authority: string;
  readonly tenantId: string;
  readonly now: () => Date;
}

/** Says who showed an access token of Microsoft Entra: the claim `oid`. Throws ApiError 401, or 503 where the authority is away. */
export type VerifyEntraToken = (token: string) => Promise<string>;

/** Verifies signature, audience, issuer, tenant and times; the keys are those that the authority publishes. */
export function entraTokens({ authority, tenantId, now }: EntraOptions): VerifyEntraToken {
  let known: Promise<{ issuer: string; keys: JWTVerifyGetKey }> | undefined;
  const find = () => {
    known ??= discover(authority, tenantId).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return async (token) => {
    try {
      const { issuer, keys } = await find();
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ['RS256'],
        audience: AUDIENCE,
        issuer: [issuer, `https://sts.windows.net/${tenantId}/`],
        requiredClaims: ['exp', 'iat', 'oid', 'tid'],
        currentDate: now(),
      });
      return principalOf(payload, tenantId);
    } catch (error) {
      throw refusal(error);
    }
  };
}

function principalOf({ oid, tid }: JWTPayload & { oid?: unknown; tid?: unknown }, tenantId: string): string {
  if (tid !== tenantId) throw unauthorized('The token is of another tenant.');
  if (typeof oid !== 'string' || oid === '') throw unauthorized('The token names nobody: its claim oid is missing.');
  return oid;
}

async function discover(authority: string, tenantId: string): Promise<{ issuer: string; keys: JWTVerifyGetKey }> {
  const url = `${authority}/${tenantId}/v2.0/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MILLISECONDS) });
  if (!response.ok) throw new Error(`The authority answered ${response.status}.`);
  const { issuer, jwks_uri } = openIdConfiguration.parse(await response.json());
  const options = { timeoutDuration: ANSWER_MILLISECONDS, cooldownDuration: COOLDOWN_MILLISECONDS };
  return { issuer, keys: createRemoteJWKSet(new URL(jwks_uri), options) };
}

function refusal(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const isAboutToken = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
  if (isAboutToken) return unauthorized(`The access token is refused: ${error.message}.`);
  return new ApiError(503, 'Error.ServiceUnavailable', 'The authority that signs tokens cannot be asked for its keys.');
}
