export type StorageErrorCode = 'blob_missing' | 'too_large';

/** A blob could not be had as asked: it is not there, or larger than allowed. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
