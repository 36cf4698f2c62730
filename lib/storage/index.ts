export { type BlobFile, BlobFolder } from './blob-folder.ts';
export { type BlobName, Blobs } from './blobs.ts';
export { StorageError } from './storage-error.ts';
