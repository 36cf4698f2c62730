import { StsError } from './sts-error.ts';

/**
 * A copy of somebody else's error that may be kept as a cause: names, messages and codes, without the request, the answer or
 * the claims that libraries hang onto their errors, and without the secrets where a message repeats them.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[] = []): Error {
  return copy(error, secrets, 4);
}

function copy(error: unknown, secrets: readonly string[], depth: number): Error {
  if (!(error instanceof Error)) return new Error('Something that is no Error was thrown.');
  const cause =
    error.cause instanceof Error && depth > 0 ? { cause: copy(error.cause, secrets, depth - 1) } : undefined;
  const kept = new Error(redact(error.message, secrets), cause);
  const { name } = error;
  // The original's stack would repeat its message.
  kept.stack = redact(error.stack ?? `${name}: ${error.message}`, secrets);
  Object.defineProperty(kept, 'name', { value: name, configurable: true });
  return 'code' in error && typeof error.code === 'string' ? Object.assign(kept, { code: error.code }) : kept;
}

/** The text with every secret in it blotted out. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
}

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
