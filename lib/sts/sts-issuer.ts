import { decodeProtectedHeader } from 'jose';
import type { Role } from '#lib/api';
import { isGuid } from './authorization.ts';
import { StsError } from './sts-error.ts';
import type { AccessToken } from './sts-exchange.ts';
import type { TokenSigner } from './token-signer.ts';
import { type Expectations, type StsCaller, verifyToken } from './verify-token.ts';

export interface StsIssuerOptions {
  readonly accountId: string;
  readonly accountDomain: string;
  /** The account's region; the first label of its domain where it is left out, which was the region at the retired service. */
  readonly region?: string | undefined;
  readonly lifetimeSeconds: number;
  readonly signer: TokenSigner;
  readonly now: () => Date;
  /** A new GUID for each token. */
  readonly newId: () => string;
}

/** Whom a token is for, as its own token or its key proved. */
export interface TokenRequest {
  /** The caller's object id, or a name for whoever holds the account's key. */
  readonly subject: string;
  readonly role: Role;
  /** The caller's tenant; none with an account key. */
  readonly tenantId?: string | undefined;
}

interface Issued {
  readonly reuseUntil: number;
  readonly token: Promise<AccessToken>;
}

const NO_TENANT = '00000000-0000-0000-0000-000000000000';
const MAX_SUBJECT_LENGTH = 256;
/** Callers whose token is kept: some 1.5 KB each. */
const MAX_KEPT = 10_000;

/** Makes the issuer of one account. @throws StsError `invalid_argument` */
export function createStsIssuer(options: StsIssuerOptions): StsIssuer {
  return new StsIssuer(options);
}

/** Issues the Mixed Reality tokens of one account, and knows them again. */
export class StsIssuer {
  readonly #options: StsIssuerOptions;
  readonly #region: string;
  readonly #expected: Expectations;
  /** By whom they are for, the oldest first. */
  readonly #issued = new Map<string, Issued>();

  constructor(options: StsIssuerOptions) {
    if (!isGuid(options.accountId)) throw new StsError('invalid_argument', 'The account id must be a GUID.');
    this.#options = options;
    this.#region = options.region ?? options.accountDomain.replace(/[.:].*/, '');
    this.#expected = {
      accountId: options.accountId.toLowerCase(),
      issuer: `https://sts.${options.accountDomain}/`,
      // The audience of the retired service's own tokens is not known; Spatial Anchors' had this form.
      audience: `https://remoterendering.${options.accountDomain}/`,
    };
  }

  /**
   * A token for a caller. The same request gets the same token until half of that one's life is over or its key is gone,
   * and callers who ask at the same moment share one.
   * @throws StsError `invalid_argument`, or what the signer throws
   */
  async issue(request: TokenRequest): Promise<AccessToken> {
    const { subject, role, tenantId } = request;
    if (subject === '' || subject.length > MAX_SUBJECT_LENGTH) {
      throw new StsError('invalid_argument', `The subject of a token must have 1 to ${MAX_SUBJECT_LENGTH} characters.`);
    }
    const id = JSON.stringify([subject, role, tenantId]);
    const kept = this.#issued.get(id);
    if (kept && (await this.#isGood(kept))) return kept.token;
    const latest = this.#issued.get(id);
    // Whoever was faster has put a new one there.
    return latest && latest !== kept ? latest.token : this.#keep(id, request);
  }

  /**
   * Whom a token was issued to.
   * @throws StsError `invalid_token`, with a reason that the caller may see, or what the signer throws
   */
  async verify(token: string): Promise<StsCaller> {
    return verifyToken(token, this.#expected, this.#options.signer, this.#options.now());
  }

  async #isGood({ reuseUntil, token }: Issued): Promise<boolean> {
    const { now, signer } = this.#options;
    if (now().getTime() >= reuseUntil) return false;
    const { kid = '' } = decodeProtectedHeader((await token).token);
    return (await signer.publicKey(kid)) !== undefined;
  }

  #keep(id: string, request: TokenRequest): Promise<AccessToken> {
    const { now, lifetimeSeconds } = this.#options;
    const issuedAt = Math.floor(now().getTime() / 1000);
    const token = this.#mint(request, issuedAt);
    const issued = { token, reuseUntil: (issuedAt + lifetimeSeconds / 2) * 1000 };
    this.#issued.delete(id);
    this.#issued.set(id, issued);
    const [oldest] = this.#issued.keys();
    if (this.#issued.size > MAX_KEPT && oldest !== undefined) this.#issued.delete(oldest);
    token.catch(() => {
      if (this.#issued.get(id) === issued) this.#issued.delete(id);
    });
    return token;
  }

  /** With the claims that tokens of the retired service have (contract 4.2), and with whom it is for and what that one may. */
  async #mint({ subject, role, tenantId }: TokenRequest, issuedAt: number): Promise<AccessToken> {
    const { lifetimeSeconds, signer, newId } = this.#options;
    const { accountId, issuer, audience } = this.#expected;
    const expiresAt = issuedAt + lifetimeSeconds;
    const token = await signer.sign({
      jti: newId(),
      cai: accountId,
      tid: tenantId ?? NO_TENANT,
      aid: accountId,
      aao: -1,
      apr: this.#region,
      rid: `/subscriptions/${NO_TENANT}/resourceGroups/${this.#region}/providers/Microsoft.MixedReality/remoteRenderingAccounts/${accountId}`,
      att: 'Default',
      nbf: issuedAt,
      exp: expiresAt,
      iat: issuedAt,
      iss: issuer,
      aud: audience,
      sub: subject,
      roles: [role],
    });
    return { token, expiresOn: new Date(expiresAt * 1000) };
  }
}
