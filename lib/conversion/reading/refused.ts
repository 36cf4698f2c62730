import { ConversionError } from '../conversion-error.ts';

/** What a file that cannot be read is refused with: `what` says where and why. */
export function refused(what: string): ConversionError {
  return new ConversionError('input_refused', `The model cannot be read: ${what}`);
}
