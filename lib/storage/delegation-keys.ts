import type { BlobServiceClient, UserDelegationKey } from '@azure/storage-blob';

/** The service allows seven days. */
const KEY_MILLISECONDS = 2 * 86_400_000;
/** No setting asks for a SAS of more than a day: one that is signed with a key that has so much left ends before it. */
const RENEWAL_MILLISECONDS = 86_400_000;
/** A clock of the service that is a little behind ours must not find a key, or a SAS, to be of the future. */
export const SKEW_MILLISECONDS = 60_000;

/**
 * The user delegation keys that SAS are signed with where no account key is known. One key serves every SAS; it is asked for once, however
 * many wait for it, and renewed long before a SAS would outlive it.
 */
export class DelegationKeys {
  readonly #service: BlobServiceClient;
  readonly #now: () => Date;
  #key: UserDelegationKey | undefined;
  #asking: Promise<UserDelegationKey> | undefined;

  constructor(service: BlobServiceClient, now: () => Date) {
    this.#service = service;
    this.#now = now;
  }

  /**
   * The key to sign with now, of which a day at least is left. Where the service gives no new one, the old one serves to its end: what is
   * signed with it must not last longer.
   */
  async current(): Promise<UserDelegationKey> {
    const key = this.#key;
    if (key !== undefined && this.#remaining(key) >= RENEWAL_MILLISECONDS) return key;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    try {
      return await this.#asking;
    } catch (error) {
      if (key !== undefined && this.#remaining(key) > 0) return key;
      throw error;
    }
  }

  #remaining(key: UserDelegationKey): number {
    return key.signedExpiresOn.getTime() - this.#now().getTime();
  }

  async #ask(): Promise<UserDelegationKey> {
    const now = this.#now().getTime();
    this.#key = await this.#service.getUserDelegationKey(
      new Date(now - SKEW_MILLISECONDS),
      new Date(now + KEY_MILLISECONDS),
    );
    return this.#key;
  }
}
