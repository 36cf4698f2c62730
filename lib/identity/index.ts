export {
  createApplicationCredential,
  createCredential,
  createManagedIdentity,
  type TokenCredential,
} from './credential.ts';
export { type StorageAccess, storageAccess } from './storage-access.ts';
export { untilAborted } from './until-aborted.ts';
export { redact, withoutSecrets } from './without-secrets.ts';
