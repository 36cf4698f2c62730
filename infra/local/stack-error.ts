export type StackErrorCode = 'port-taken' | 'locked' | 'child-failed' | 'child-ended' | 'stopped' | 'func-missing';

/** The local stack could not start or go on. The message is one a person can act on. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly code: StackErrorCode;

  constructor(code: StackErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
