import { untilAborted } from '#lib/identity';
import type { StsCredential } from './credential.ts';
import { checkClientSettings, type StsClientOptions, type StsClientSettings } from './sts-client-settings.ts';
import { StsError } from './sts-error.ts';
import { type AccessToken, exchange } from './sts-exchange.ts';

/** A token is renewed once less than this is left of it, or a tenth of its life where that is less. */
const RENEW_AHEAD_MILLISECONDS = 300_000;
/** How long a renewal that failed is not tried again while the token at hand still lives. */
const RENEWAL_PAUSE_SECONDS = 30;

interface KeptToken {
  readonly token: AccessToken;
  readonly renewFrom: number;
}

/** Until when the STS is not asked, and why. */
interface Pause {
  readonly until: number;
  readonly error: unknown;
}

/**
 * Gets access tokens of a Mixed Reality account from its Security Token Service, with the three ways in of the original
 * libraries: account key, Microsoft Entra credential, ready access token (which asks nobody).
 */
export class MixedRealityStsClient {
  readonly #settings: StsClientSettings;
  #kept: KeptToken | undefined;
  #renewal: Promise<AccessToken> | undefined;
  #pause: Pause | undefined;

  /**
   * @param accountDomain a host, as `westeurope.mixedreality.azure.com`
   * @throws StsError `invalid_argument`
   */
  constructor(accountId: string, accountDomain: string, credential: StsCredential, options: StsClientOptions = {}) {
    this.#settings = checkClientSettings(accountId, accountDomain, credential, options);
  }

  /**
   * A token that is good for some time yet: the one at hand, or a new one ahead of its expiry. However many callers wait, the STS is
   * asked once; a caller who gives up leaves the others waiting. Where the STS cannot renew a token that still lives, that one is
   * the answer; while the STS wants to be left alone, nobody asks it.
   * @throws StsError; the signal's reason where the caller gave up
   */
  async getToken({ abortSignal }: { readonly abortSignal?: AbortSignal } = {}): Promise<AccessToken> {
    abortSignal?.throwIfAborted();
    const { credential, now } = this.#settings;
    const at = now().getTime();
    if (credential.kind === 'ready') return readyToken(credential, at);
    const kept = this.#kept;
    if (kept && at < kept.renewFrom) return kept.token;
    if (this.#pause && at < this.#pause.until) {
      if (kept && isAlive(kept, at)) return kept.token;
      throwWhereToldToWait(this.#pause, at);
    }
    this.#renewal ??= this.#renew(credential).finally(() => {
      this.#renewal = undefined;
    });
    return untilAborted(this.#renewal, abortSignal);
  }

  /** Forgets a token that is of no use, as one with the wrong roles: the next caller has the STS asked again. */
  discard(token: string): void {
    if (this.#kept?.token.token === token) this.#kept = undefined;
  }

  async #renew(credential: Parameters<typeof exchange>[0]['credential']): Promise<AccessToken> {
    const { now } = this.#settings;
    try {
      const token = await exchange({ ...this.#settings, credential });
      this.#pause = undefined;
      this.#kept = { token, renewFrom: renewFrom(token, now()) };
      return token;
    } catch (error) {
      const at = now().getTime();
      const told = error instanceof StsError ? error.retryAfterSeconds : undefined;
      this.#pause = { until: at + (told ?? RENEWAL_PAUSE_SECONDS) * 1000, error };
      if (this.#kept && isAlive(this.#kept, at)) return this.#kept.token;
      throw error;
    }
  }
}

function readyToken({ token, expiresOn }: AccessToken, at: number): AccessToken {
  if (at < expiresOn.getTime()) return { token, expiresOn };
  throw new StsError(
    'unauthorized',
    `The access token that was handed in expired at ${expiresOn.toISOString()}. Make a client with a new one.`,
  );
}

/** A failure that names no time is tried again by whoever comes next and has no token. */
function throwWhereToldToWait({ until, error }: Pause, at: number): void {
  if (!(error instanceof StsError) || error.retryAfterSeconds === undefined) return;
  const { code, message, correlationVector, serviceCorrelationVector } = error;
  const retryAfterSeconds = Math.ceil((until - at) / 1000);
  throw new StsError(code, `${message} Ask again in ${retryAfterSeconds} s.`, {
    cause: error,
    retryAfterSeconds,
    correlationVector,
    serviceCorrelationVector,
  });
}

function renewFrom({ expiresOn }: AccessToken, now: Date): number {
  const life = expiresOn.getTime() - now.getTime();
  return expiresOn.getTime() - Math.min(RENEW_AHEAD_MILLISECONDS, life / 10);
}

function isAlive({ token }: KeptToken, at: number): boolean {
  return at < token.expiresOn.getTime();
}
