export type RecordsErrorCode = 'not_found' | 'regression' | 'contention' | 'too_large' | 'unreadable' | 'unavailable';

/**
 * A record could not be read or changed: `not_found`, `regression` (the change would go back, or leave a terminal state),
 * `contention` (too many writers at once: try again), `too_large`, `unreadable` (the stored document is not a record), `unavailable` (storage does not answer what must be known).
 */
export class RecordsError extends Error {
  override readonly name = 'RecordsError';
  readonly code: RecordsErrorCode;

  constructor(code: RecordsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
