export {
  createApplicationCredential,
  createCredential,
  createManagedIdentity,
  type TokenCredential,
} from './credential.ts';
export { type StorageAccess, storageAccess } from './storage-access.ts';
