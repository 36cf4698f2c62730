import { createHash, randomBytes } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { COMMAND_LINE_CLIENT_ID, TENANT_ID } from './directory.ts';
import type { Resource } from './resources.ts';
import type { SigningKey } from './state.ts';

/** Who signs, and when. */
export interface Issuer {
  /** Base URL, without a slash at its end. */
  readonly authority: string;
  readonly signingKey: SigningKey;
  readonly now: () => Date;
}

/** An application or a managed identity. */
export interface Principal {
  readonly clientId: string;
  readonly objectId: string;
  readonly roles: readonly string[];
  /** How it proved who it is, as the claim `azpacr` says: 1 with a secret, 2 with a certificate, as managed identities do. */
  readonly authentication: '1' | '2';
  /** A managed identity's. */
  readonly resourceId?: string;
}

/** The issuer of the second version's tokens, as the OpenID configuration names it. */
export function issuerOf(authority: string): string {
  return `${authority}/${TENANT_ID}/v2.0`;
}

/**
 * An app-only access token with the claims of Microsoft Entra's
 * (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
 */
export async function signAppToken(
  issuer: Issuer,
  principal: Principal,
  resource: Resource,
  lifetimeSeconds: number,
): Promise<string> {
  const { clientId, objectId, roles, authentication, resourceId } = principal;
  const byVersion =
    resource.version === '1.0'
      ? {
          iss: `https://sts.windows.net/${TENANT_ID}/`,
          appid: clientId,
          appidacr: authentication,
          idp: `https://sts.windows.net/${TENANT_ID}/`,
        }
      : { iss: issuerOf(issuer.authority), azp: clientId, azpacr: authentication };
  return await sign(issuer, lifetimeSeconds, {
    aud: resource.audience,
    ...byVersion,
    oid: objectId,
    sub: objectId,
    ...(resource.withAppRoles && roles.length > 0 && { roles }),
    ver: resource.version,
    idtyp: 'app',
    ...(resourceId !== undefined && { xms_mirid: resourceId }),
  });
}

/** An access token as the client of a signed-in user holds it. */
export async function signUserToken(
  issuer: Issuer,
  user: { readonly name: string; readonly roles: readonly string[] },
  audience: string,
  lifetimeSeconds: number,
): Promise<string> {
  return await sign(issuer, lifetimeSeconds, {
    aud: audience,
    iss: issuerOf(issuer.authority),
    azp: COMMAND_LINE_CLIENT_ID,
    azpacr: '0',
    name: user.name,
    oid: objectIdOf(user.name),
    preferred_username: `${user.name}@local`,
    roles: user.roles,
    scp: 'access_as_user',
    // Pairwise: another app sees another one.
    sub: createHash('sha256').update(`${audience}\n${user.name}`).digest('base64url'),
    ver: '2.0',
    idtyp: 'user',
  });
}

async function sign({ signingKey, now }: Issuer, lifetimeSeconds: number, claims: JWTPayload): Promise<string> {
  const iat = Math.floor(now().getTime() / 1000);
  return await new SignJWT({
    ...claims,
    iat,
    nbf: iat,
    exp: iat + lifetimeSeconds,
    tid: TENANT_ID,
    uti: randomBytes(16).toString('base64url'),
  })
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: signingKey.id })
    .sign(signingKey.privateKey);
}

/** The same for the same name, always: a GUID of version 5 (RFC 9562) in the tenant's name space. */
function objectIdOf(name: string): string {
  const namespace = Buffer.from(TENANT_ID.replaceAll('-', ''), 'hex');
  const hash = createHash('sha1').update(namespace).update(name).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const digits = hash.toString('hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join('-');
}
