/**
 * The service refused, or could not be reached. `code` is the stable last part of the problem's type, as `not-found` or
 * `unauthenticated`; `unreachable` where no answer came, `unexpected` where one came that is none of the service's.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: string;
  /** Undefined where no answer came. */
  readonly status: number | undefined;
  /** The part of the request that is wrong. */
  readonly field: string | undefined;
  /** After how many seconds to try again, where the service says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    message: string,
    details: {
      readonly status?: number;
      readonly field?: string | undefined;
      readonly retryAfterSeconds?: number | undefined;
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.status = details.status;
    this.field = details.field;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}
