import type { HttpRequest } from '@azure/functions';
import type { AppRole } from '#lib/api';
import type { Caller } from './caller.ts';
import type { EntraTokens } from './entra-tokens.ts';
import { platformPrincipal } from './platform-principal.ts';
import { forbidden, unauthenticated } from './problem.ts';
import { bearerOf } from './request.ts';

export interface CallersOptions {
  readonly entra: EntraTokens;
  /** Set where App Service authentication is in front: the tenants whose principals it may name. */
  readonly platformTenantIds: readonly string[] | undefined;
  /** Verifies a token of our own STS; it throws where the token is none. */
  readonly verifySts: (token: string) => Promise<Caller & { readonly kid: string }>;
  /** Whether any of these subjects and signing keys is revoked. */
  readonly isRevoked: (...targets: string[]) => Promise<boolean>;
}

/** Tells who calls. There is no anonymous caller: a request has one, or is refused. */
export class Callers {
  readonly #options: CallersOptions;

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /**
   * The caller of one of our own routes.
   * @throws ProblemError 401 with the reason; 503 where the authority does not answer
   */
  async identify(request: HttpRequest): Promise<Caller> {
    const { entra, platformTenantIds } = this.#options;
    const vouchedFor = platformTenantIds && platformPrincipal(request, platformTenantIds);
    const caller = vouchedFor ?? (await entra.verify(tokenOf(request)));
    // Not by the key that signed the token: it is Microsoft Entra's, and everybody's.
    return await this.#unlessRevoked(caller, caller.subject);
  }

  /**
   * The caller of one of Azure Remote Rendering's routes, which comes with a token of our own STS and with nothing else.
   * @throws ProblemError 401, and what the verification throws
   */
  async identifySts(request: HttpRequest): Promise<Caller> {
    const caller = await this.#options.verifySts(tokenOf(request));
    return await this.#unlessRevoked(caller, caller.subject, caller.kid);
  }

  async #unlessRevoked<Who extends Caller>(caller: Who, ...targets: string[]): Promise<Who> {
    if (await this.#options.isRevoked(...targets))
      throw unauthenticated('The caller, or the key of the token, is revoked.');
    return caller;
  }
}

/** @throws ProblemError 403, saying which role is missing */
export function requireRole({ roles }: Caller, allowed: readonly AppRole[]): void {
  if (roles.some((role) => allowed.includes(role))) return;
  const has = roles.length === 0 ? 'has none of its roles' : `has ${roles.join(', ')}`;
  throw forbidden(`This needs the app role ${allowed.join(' or ')}; the caller ${has}.`);
}

function tokenOf(request: HttpRequest): string {
  const header = request.headers.get('authorization');
  if (header === null) throw unauthenticated();
  const token = bearerOf(request);
  if (token === undefined) throw unauthenticated('The Authorization header is not Bearer and a token.');
  return token;
}
