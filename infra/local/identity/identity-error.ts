/** A development token could not be signed. The message is one a person can act on. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  readonly code = 'stack-not-running';
}
