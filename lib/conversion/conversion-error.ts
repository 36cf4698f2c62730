import type { ConversionLimits } from './conversion-limits.ts';

/**
 * Why there is no asset: `input_refused` (the model or its settings are wrong), `missing_files`, `limit` (a bound of ours was met before the
 * work), `timeout` and `memory` (a bound was met during the work), `cancelled`, `conversion_failed` (everything else).
 */
export type ConversionErrorCode =
  | 'input_refused'
  | 'missing_files'
  | 'limit'
  | 'timeout'
  | 'memory'
  | 'cancelled'
  | 'conversion_failed';

/** A model or its settings cannot be converted. The message says what failed, which input it was and what to do. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly code: ConversionErrorCode;
  /** Which bound was met, where it is one that can be set. */
  readonly limit: keyof ConversionLimits | undefined;

  constructor(
    code: ConversionErrorCode,
    message: string,
    { limit, ...options }: ErrorOptions & { readonly limit?: keyof ConversionLimits } = {},
  ) {
    super(message, options);
    this.code = code;
    this.limit = limit;
  }
}
