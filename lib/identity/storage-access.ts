import type { Config, StorageSettings } from '#lib/config';
import type { TokenCredential } from './credential.ts';

/** How the storage account is opened: with a connection string, or with the app's identity and no secret at all. */
export type StorageAccess =
  | Extract<StorageSettings, { readonly kind: 'connection-string' }>
  | (Extract<StorageSettings, { readonly kind: 'identity' }> & { readonly credential: TokenCredential });

/** The settings' way into the storage account, with the credential where it takes one. */
export function storageAccess({ storage }: Pick<Config, 'storage'>, credential: TokenCredential): StorageAccess {
  return storage.kind === 'identity' ? { ...storage, credential } : storage;
}
