/**
 * What went wrong with the Mixed Reality STS, ours or another:
 * `invalid_argument` the caller handed in something unusable; `credential` the credential gave no token to ask with;
 * `unauthorized`, `forbidden`, `bad_request` the STS refused (401, 403, other 4xx); `throttled` it wants to be left alone for
 * `retryAfterSeconds`; `unavailable` it does not answer or cannot now; `bad_answer` it answered something that is no token;
 * `invalid_token` a token is not one of ours, or not any more; `key_file` the file of signing keys cannot be used.
 */
export type StsErrorCode =
  | 'invalid_argument'
  | 'credential'
  | 'unauthorized'
  | 'forbidden'
  | 'bad_request'
  | 'throttled'
  | 'unavailable'
  | 'bad_answer'
  | 'invalid_token'
  | 'key_file';

export interface StsErrorDetails extends ErrorOptions {
  readonly retryAfterSeconds?: number | undefined;
  readonly correlationVector?: string | undefined;
  readonly serviceCorrelationVector?: string | undefined;
}

/** Something failed around a Mixed Reality token. Neither the message nor the cause holds a key, a token or a secret. */
export class StsError extends Error {
  override readonly name = 'StsError';
  readonly code: StsErrorCode;
  /** After how many seconds it is worth asking again, where the STS said so. */
  readonly retryAfterSeconds: number | undefined;
  /** The X-MRC-CV of the request. */
  readonly correlationVector: string | undefined;
  /** The MS-CV of the STS's answer. */
  readonly serviceCorrelationVector: string | undefined;

  constructor(code: StsErrorCode, message: string, details: StsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.correlationVector = details.correlationVector;
    this.serviceCorrelationVector = details.serviceCorrelationVector;
  }
}
