export type CommandErrorCode = 'no_model' | 'no_settings' | 'no_output' | 'would_overwrite';

/** What was asked cannot be begun, or its outputs cannot be written. The message is one a person can act on. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why the system refuses a path, in words; undefined for errors that are none of the system's. */
export function systemReason(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
  return code && (REASONS[code] ?? (error instanceof Error ? error.message : code));
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'a file is in the way',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'the path does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
  EPERM: 'permission is denied',
  EROFS: 'the disk cannot be written to',
};
