export type RenderingErrorCode =
  | 'not_found'
  | 'conflict'
  | 'stale'
  | 'closing'
  | 'lease_not_larger'
  | 'lease_over_cap'
  | 'unauthenticated';

/** A conversion or session could not be had or changed as asked; the code says which rule stands against it. */
export class RenderingError extends Error {
  override readonly name = 'RenderingError';
  readonly code: RenderingErrorCode;

  constructor(code: RenderingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
