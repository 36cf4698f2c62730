import { ConversionError } from '../conversion-error.ts';

/** What a file that cannot be read is refused with: `what` says where and why. */
export function refused(what: string): ConversionError {
  // Words of the file are quoted, and may be any bytes.
  const shown = what.replace(/\p{Cc}/gu, '?');
  return new ConversionError('input_refused', `The model cannot be read: ${shown}`);
}
