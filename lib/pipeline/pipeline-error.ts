export type PipelineErrorCode =
  | 'invalid'
  | 'not_found'
  | 'forbidden'
  | 'conflict'
  | 'no_lease'
  | 'no_asset'
  | 'own_access';

/** A pipeline could not be had or changed as asked. `field` names the part of the request that is wrong, where one is. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: PipelineErrorCode;
  readonly field: string | undefined;

  constructor(code: PipelineErrorCode, message: string, field?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.field = field;
  }
}
