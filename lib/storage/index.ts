export { type BlobName, Blobs } from './blobs.ts';
export { StorageError } from './storage-error.ts';
