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
}

export function problemResponse({ status, type, title, detail, field }: Problem): HttpResponseInit {
  return {
    status,
    headers: { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' },
    body: JSON.stringify({ type: `/problems/${type}`, title, status, detail, ...(field !== undefined && { field }) }),
  };
}

/** Thrown by what reads a request; `route` turns it into its answer. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}
