import { StsError } from './sts-error.ts';

/**
 * A value that may stand in a header: visible ASCII without blanks. What does not is refused here, as HTTP libraries repeat such
 * a value, secret or not, in their messages.
 * @throws StsError `invalid_argument` naming the value by its label alone
 */
export function headerSafe(label: string, value: string, maxLength: number): string {
  if (value.length > maxLength) {
    throw new StsError('invalid_argument', `${label} has ${value.length} characters; ${maxLength} are allowed.`);
  }
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new StsError('invalid_argument', `${label} must be visible ASCII characters, without blanks or line breaks.`);
}
