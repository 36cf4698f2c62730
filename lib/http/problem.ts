import type { HttpResponseInit } from '@azure/functions';

/** An answer that says what went wrong, as RFC 9457 has it. `type` is stable: programs tell problems apart by it. */
export interface Problem {
  readonly status: number;
  /** The last part of the problem's `type`, in kebab case. */
  readonly type: string;
  readonly title: string;
  /** What failed, which input, and what to do. */
  readonly detail: string;
  /** The offending part of the request: a body field, a header or a parameter. */
  readonly field?: string | undefined;
  /** What the answer says beside its body, as `WWW-Authenticate` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export function problemResponse({ status, type, title, detail, field, headers }: Problem): HttpResponseInit {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', ...headers },
    body: JSON.stringify({ type: `/problems/${type}`, title, status, detail, ...(field !== undefined && { field }) }),
  };
}

/** Thrown by what reads a request; `serve` turns it into its answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.detail, options);
    this.problem = problem;
  }
}

/** The request is not what its route takes; `field` names the part that is wrong. */
export function invalidRequest(field: string, detail: string): ProblemError {
  return new ProblemError({ status: 400, type: 'invalid-request', title: 'The request is not valid', detail, field });
}

/** Nobody knows the caller: RFC 6750, section 3. Without a reason no credential came at all. */
export function unauthenticated(reason?: string, cause?: unknown): ProblemError {
  const challenge = reason === undefined ? 'Bearer' : `Bearer error="invalid_token", error_description="${reason}"`;
  const detail = reason ?? 'Send an access token of Microsoft Entra as Authorization: Bearer.';
  return new ProblemError(
    {
      status: 401,
      type: 'unauthenticated',
      title: 'The caller is not known',
      detail,
      field: 'Authorization',
      headers: { 'WWW-Authenticate': challenge },
    },
    { cause },
  );
}

/** The caller is known and may not. */
export function forbidden(detail: string): ProblemError {
  return new ProblemError({ status: 403, type: 'forbidden', title: 'The caller may not do this', detail });
}
