/**
 * What went wrong with Web PubSub: `connection_string` the setting cannot be used; `invalid` what was to be sent is nothing that the
 * service takes; `identity_unavailable` the app's identity gave no token to ask with; `permission` the identity lacks a data action of
 * the service, `dataAction` where it is known which; `refused` the service does not take the credential or the request; `throttled` it
 * wants to be left alone for `retryAfterSeconds`; `timeout`, `unreachable` it did not answer in time, or not at all or with a 5xx;
 * `bad_answer` it answered something that must not be passed on.
 */
export type PubSubErrorCode =
  | 'connection_string'
  | 'invalid'
  | 'identity_unavailable'
  | 'permission'
  | 'refused'
  | 'throttled'
  | 'timeout'
  | 'unreachable'
  | 'bad_answer';

export interface PubSubErrorDetails extends ErrorOptions {
  readonly retryAfterSeconds?: number | undefined;
  readonly dataAction?: string | undefined;
}

/** Something failed around Web PubSub. Neither the message nor the cause holds a key, a token or a secret. */
export class PubSubError extends Error {
  override readonly name = 'PubSubError';
  readonly code: PubSubErrorCode;
  /** After how many seconds it is worth asking again, where the service said so. */
  readonly retryAfterSeconds: number | undefined;
  /** The permission that the identity lacks, as `Microsoft.SignalRService/WebPubSub/clientConnection/write`. */
  readonly dataAction: string | undefined;

  constructor(code: PubSubErrorCode, message: string, details: PubSubErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.dataAction = details.dataAction;
  }
}
