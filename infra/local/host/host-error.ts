export type HostErrorCode = 'port-in-use' | 'bad-configuration' | 'app-load' | 'unsupported' | 'conflict';

/** The embedded host could not start: the message says what is wrong with the app or the machine, and what to do. */
export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;

  constructor(code: HostErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
