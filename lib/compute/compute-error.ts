export type ComputeErrorCode = 'capacity' | 'quota' | 'provider';

/** A machine could not be had or handled: `capacity` and `quota` are refusals to wait out or raise, `provider` is a fault. */
export class ComputeError extends Error {
  override readonly name = 'ComputeError';
  readonly code: ComputeErrorCode;

  constructor(code: ComputeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
