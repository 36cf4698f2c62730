import { z } from 'zod';

const MAX_CAUSES = 4;
/** A service's answer stands in some messages. */
const MAX_MESSAGE_LENGTH = 1000;

const errorDetails = z.object({
  code: z.string().optional().catch(undefined),
  statusCode: z.number().optional().catch(undefined),
});

/**
 * A copy of somebody else's error that may be kept as a cause: names, messages, codes and statuses, and where it was thrown, without the
 * request, the answer or the claims that libraries hang onto their errors. Without the secrets, too, and without what looks like a token.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[] = []): Error {
  return copy(error, secrets, MAX_CAUSES);
}

function copy(error: unknown, secrets: readonly string[], depth: number): Error {
  if (!(error instanceof Error)) return new Error('Something that is no Error was thrown.');
  const cause =
    error.cause instanceof Error && depth > 0 ? { cause: copy(error.cause, secrets, depth - 1) } : undefined;
  const kept = new Error(clean(error.message, secrets), cause);
  Object.defineProperty(kept, 'name', { value: error.name, configurable: true });
  // The original's stack would repeat its message.
  kept.stack = [`${kept.name}: ${kept.message}`, ...framesOf(error, secrets)].join('\n');
  const { code, statusCode } = errorDetails.catch({}).parse(error);
  return Object.assign(kept, {
    ...(code !== undefined && { code: clean(code, secrets) }),
    ...(statusCode !== undefined && { statusCode }),
  });
}

/** The text with every secret in it blotted out. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== '').reduce((left, secret) => left.replaceAll(secret, '[secret]'), text);
}

function clean(text: string, secrets: readonly string[]): string {
  // A signed token starts with the base64url of {" and may have been cut short.
  return redact(text, secrets)
    .replace(/eyJ[\w-]*(?:\.[\w-]*)*/g, '[token]')
    .slice(0, MAX_MESSAGE_LENGTH);
}

function framesOf({ stack = '' }: Error, secrets: readonly string[]): string[] {
  return stack
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .map((line) => clean(line, secrets));
}
