import { type AppRole, ROLES, type Role, type StsTokenAnswer } from '#lib/api';
import { type Caller, forbidden, ProblemError, type RateLimits } from '#lib/http';
import {
  type AccountKeys,
  type MixedRealityStsClient,
  parseStsAuthorization,
  rolesOf,
  type StsIssuer,
  type TokenSigner,
} from '#lib/sts';

/** The Mixed Reality tokens of this deployment: those that it signs, and those of an account elsewhere. */
export interface StsParts {
  readonly issuer: StsIssuer;
  readonly signer: TokenSigner;
  readonly keys: AccountKeys;
  /** Whether a subject is revoked; whoever has a key of the account has the account's id as theirs. */
  readonly isRevoked: (subject: string) => Promise<boolean>;
  readonly accountId: string;
  readonly accountDomain: string;
  /** Set where clients are to have tokens of an account elsewhere, which the suite's own identity obtains. */
  readonly external?: {
    readonly client: MixedRealityStsClient;
    readonly accountId: string;
    readonly accountDomain: string;
  };
}

/**
 * A Mixed Reality token for a caller. Of our own account it is the caller's, with a role that the caller has. Of an account elsewhere it is
 * the one that the suite's identity obtained: everybody gets the same, so it is passed on only if it can do no more than any Client.
 * @throws ProblemError 403, 502; StsError where the STS elsewhere does not give one
 */
export async function stsTokenFor(
  { sts }: { readonly sts: StsParts },
  caller: Caller,
  wanted: Role | undefined,
): Promise<StsTokenAnswer> {
  const role = wanted ?? ((sts.external === undefined && widestOf(caller.roles)) || ROLES.client);
  // An Administrator may do whatever a Client may; nobody gets more than they have.
  if (!caller.roles.includes(role) && !caller.roles.includes(ROLES.administrator)) {
    throw forbidden(`A token with the role ${role} is for callers who have it.`);
  }
  if (sts.external !== undefined) return await sharedToken(sts.external, role);
  const { token, expiresOn } = await sts.issuer.issue({ subject: caller.subject, role, tenantId: caller.tenantId });
  const { accountId, accountDomain } = sts;
  return {
    token,
    expiresOn: expiresOn.toISOString(),
    accountId,
    accountDomain,
    role,
    subject: caller.subject,
    shared: false,
  };
}

async function sharedToken(
  { client, accountId, accountDomain }: NonNullable<StsParts['external']>,
  role: Role,
): Promise<StsTokenAnswer> {
  if (role !== ROLES.client) {
    throw forbidden(`The account is elsewhere: its token is shared, and has the role ${ROLES.client} alone.`);
  }
  const { token, expiresOn } = await client.getToken();
  const roles = rolesOf(token);
  if (roles.length !== 1 || roles[0] !== ROLES.client) {
    // The roles may be mended before the token expires.
    client.discard(token);
    throw new ProblemError({
      status: 502,
      type: 'token-too-wide',
      title: "The suite's token must not be passed on",
      detail: `At ${accountDomain} the suite's identity must have the role ${ROLES.client} and no other: what it has, every caller would have.`,
    });
  }
  return { token, expiresOn: expiresOn.toISOString(), accountId, accountDomain, role, subject: null, shared: true };
}

/** What the STS answers, as the retired service did: refusals have no body. */
export type AccountTokenOutcome =
  | { readonly status: 200; readonly token: string }
  | { readonly status: 401 | 403 | 404 }
  | { readonly status: 429 | 503; readonly retryAfterSeconds: number };

/**
 * The token of an account for whoever has a key of it, which may do everything, or an access token of Microsoft Entra with a role, which
 * may do what its widest role may (contract 4.1 and 4.4).
 * @param identify tells the caller whose access token the request carries
 */
export async function accountToken(
  { sts, limits }: { readonly sts: StsParts; readonly limits: RateLimits },
  accountId: string,
  authorization: string | null,
  identify: () => Promise<Caller>,
): Promise<AccountTokenOutcome> {
  const presented = parseStsAuthorization(authorization);
  if (presented === undefined) return { status: 401 };
  const caller = presented.kind === 'key' ? await keyHolder(sts, accountId, presented) : await identified(identify);
  if ('status' in caller) return caller;
  const role = widestOf(caller.roles);
  if (role === undefined) return { status: 403 };
  if (accountId.toLowerCase() !== sts.accountId.toLowerCase()) return { status: 404 };
  const retryAfterSeconds = limits.secondsUntilNext(caller.subject);
  if (retryAfterSeconds !== undefined) return { status: 429, retryAfterSeconds };
  const { token } = await sts.issuer.issue({ ...caller, role });
  return { status: 200, token };
}

async function keyHolder(
  sts: StsParts,
  accountId: string,
  presented: { readonly accountId: string; readonly key: string },
): Promise<Pick<Caller, 'subject' | 'roles'> | { readonly status: 401 }> {
  const same = [accountId, presented.accountId].every((id) => id.toLowerCase() === sts.accountId.toLowerCase());
  if (!same || !sts.keys.matches(presented.key) || (await sts.isRevoked(sts.accountId))) return { status: 401 };
  return { subject: sts.accountId, roles: [ROLES.administrator] };
}

async function identified(identify: () => Promise<Caller>): Promise<Caller | AccountTokenOutcome> {
  try {
    return await identify();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problem.status === 503 ? { status: 503, retryAfterSeconds: 5 } : { status: 401 };
  }
}

function widestOf(roles: readonly AppRole[]): Role | undefined {
  return [ROLES.administrator, ROLES.client].find((role) => roles.includes(role));
}
