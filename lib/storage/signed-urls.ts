import { type BlobClient, BlobSASPermissions, type BlobServiceClient, SASProtocol } from '@azure/storage-blob';
import type { StorageAccess } from '#lib/identity';
import { DelegationKeys, SKEW_MILLISECONDS } from './delegation-keys.ts';

/** A URL with a right of its own: who has it needs no other, until it expires. */
export interface SignedUrl {
  readonly url: string;
  readonly expiresOn: Date;
}

/** Signs URLs of single blobs: with a user delegation key where the account is opened by identity, else with the account's key. */
export class SignedUrls {
  readonly #keys: DelegationKeys | undefined;
  readonly #now: () => Date;

  constructor(service: BlobServiceClient, kind: StorageAccess['kind'], now: () => Date) {
    this.#keys = kind === 'identity' ? new DelegationKeys(service, now) : undefined;
    this.#now = now;
  }

  /** A URL that may do this with this blob for so many seconds, or for less where the key that signs it does not last as long. */
  async sign(client: BlobClient, permission: 'read' | 'create', seconds: number): Promise<SignedUrl> {
    const now = this.#now().getTime();
    const wanted = wholeSeconds(now + seconds * 1000);
    const values = {
      permissions: BlobSASPermissions.from({ [permission]: true }),
      startsOn: new Date(now - SKEW_MILLISECONDS),
      ...(client.url.startsWith('https:') && { protocol: SASProtocol.Https }),
    };
    if (this.#keys === undefined) {
      return { url: await client.generateSasUrl({ ...values, expiresOn: wanted }), expiresOn: wanted };
    }
    const key = await this.#keys.current();
    const expiresOn = key.signedExpiresOn < wanted ? key.signedExpiresOn : wanted;
    return { url: await client.generateUserDelegationSasUrl({ ...values, expiresOn }, key), expiresOn };
  }
}

/** A SAS counts in whole seconds; what is told of it must not be longer. */
function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}
