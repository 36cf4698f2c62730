export type DurableErrorCode = 'timeout' | 'unavailable';

/** Durable Functions did not answer in time, or refused a call; the reaper mends what was left undone. */
export class DurableError extends Error {
  override readonly name = 'DurableError';
  readonly code: DurableErrorCode;

  constructor(code: DurableErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
