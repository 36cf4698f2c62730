import { randomBytes, randomUUID } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import { z } from 'zod';
import { type AccessKeys, verifyWithKeys } from './access-keys.ts';
import { unauthorized } from './api-error.ts';
import { isOwnHost } from './names.ts';

/** What a client token is to say. */
export interface ClientTokenRequest {
  /** Who asks: the claim `oid` of an Entra token. */
  readonly principal: string;
  /** `host[:port]`, as the client will name it. */
  readonly host: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly minutes: number;
}

/** What a valid client token says. */
export interface ClientGrant {
  readonly userId: string | undefined;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Who asked for it; undefined where the holder of an access key signed it. */
  readonly principal: string | undefined;
  readonly claims: JWTPayload;
}

const ISSUER = 'https://webpubsub.azure.com';
const KEY_BYTES = 32;
/** The scheme is of no matter; the slash between host and path is. */
const CLIENT_AUDIENCE = /^(?:https?|wss?):\/\/(?<host>[^/?#]+)\/client\/hubs\/(?<hub>[^/?#]+)\/?$/i;

const strings = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .transform((value) => (typeof value === 'string' ? [value] : (value ?? [])));
const clientClaims = z.object({ sub: z.string().optional(), role: strings, 'webpubsub.group': strings });

/**
 * Client tokens. Each principal that asks for them has a signing key of its own, named by the header `kid`, which lives and dies with
 * this process.
 */
export class ClientTokens {
  readonly #port: number;
  readonly #accessKeys: AccessKeys;
  readonly #now: () => Date;
  readonly #byPrincipal = new Map<string, { readonly kid: string; readonly secret: Uint8Array }>();
  readonly #byKid = new Map<string, { readonly principal: string; readonly secret: Uint8Array }>();

  constructor(options: { readonly port: number; readonly accessKeys: AccessKeys; readonly now: () => Date }) {
    this.#port = options.port;
    this.#accessKeys = options.accessKeys;
    this.#now = options.now;
  }

  async issue({ principal, host, hub, userId, roles, groups, minutes }: ClientTokenRequest): Promise<string> {
    const { kid, secret } = this.#keyOf(principal);
    const now = Math.floor(this.#now().getTime() / 1000);
    return await new SignJWT({
      aud: `https://${host}/client/hubs/${hub}`,
      iss: ISSUER,
      iat: now,
      nbf: now,
      exp: now + minutes * 60,
      ...(userId !== undefined && { sub: userId }),
      ...claimOf('role', roles),
      ...claimOf('webpubsub.group', groups),
    })
      .setProtectedHeader({ alg: 'HS256', kid, typ: 'JWT' })
      .sign(secret);
  }

  /** @throws ApiError 401 */
  async verify(token: string, hub: string): Promise<ClientGrant> {
    const issued = this.#byKid.get(kidOf(token) ?? '');
    const keys = issued ? [issued.secret] : this.#accessKeys;
    const claims = await verifyWithKeys(token, keys, this.#now());
    const audiences = typeof claims.aud === 'string' ? [claims.aud] : (claims.aud ?? []);
    if (!audiences.some((audience) => this.#isFor(audience, hub))) {
      throw unauthorized('The token is for another service or another hub.');
    }
    const parsed = clientClaims.safeParse(claims);
    if (!parsed.success) throw unauthorized('The claims of the token are malformed.');
    const { sub, role, 'webpubsub.group': groups } = parsed.data;
    return { userId: sub === '' ? undefined : sub, roles: role, groups, principal: issued?.principal, claims };
  }

  #keyOf(principal: string): { readonly kid: string; readonly secret: Uint8Array } {
    const known = this.#byPrincipal.get(principal);
    if (known) return known;
    const made = { kid: `s-${randomUUID()}`, secret: randomBytes(KEY_BYTES) };
    this.#byPrincipal.set(principal, made);
    this.#byKid.set(made.kid, { principal, secret: made.secret });
    return made;
  }

  #isFor(audience: string, hub: string): boolean {
    const named = CLIENT_AUDIENCE.exec(audience)?.groups;
    if (!named?.['host'] || !named['hub']) return false;
    return isOwnHost(named['host'], this.#port) && named['hub'].toLowerCase() === hub.toLowerCase();
  }
}

/** As the service's own library writes them: one value as a string, several as an array. */
function claimOf(name: string, values: readonly string[]): JWTPayload {
  if (values.length === 0) return {};
  return { [name]: values.length === 1 ? values[0] : values };
}

function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
