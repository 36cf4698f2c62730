export type DemoErrorCode = 'no_model' | 'no_pipeline' | 'no_answer';

/** The demo could not show what was asked. The message is one a person can act on. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
  readonly code: DemoErrorCode;

  constructor(code: DemoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
