/** A refusal as the data plane of Web PubSub words it: `code`, `message` and perhaps `target` at the top level of the body. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** The parameter that is wrong. */
  readonly target: string | undefined;

  constructor(status: number, code: string, message: string, target?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.target = target;
  }
}

export function badRequest(message: string, target?: string): ApiError {
  return new ApiError(400, 'Error.BadRequest', message, target);
}

export function unauthorized(message: string): ApiError {
  return new ApiError(401, 'Error.Unauthorized', message);
}

export function notFound(message: string): ApiError {
  return new ApiError(404, 'Error.NotFound', message);
}
