import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import { type Problem, ProblemError, problemResponse } from './problem.ts';

/** Turns what a handler threw into a problem; undefined for what is nobody's mistake but ours. */
export type Explain = (error: unknown) => Problem | undefined;

/**
 * Answers every request with a response, whatever the handler does: a problem for what `explain` knows, and for the rest a 500 that
 * says nothing of the inside, which goes to the log instead.
 */
export async function respond(
  request: HttpRequest,
  context: InvocationContext,
  explain: Explain,
  handle: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  try {
    return await handle();
  } catch (error) {
    const problem = error instanceof ProblemError ? error.problem : explain(error);
    if (problem !== undefined) return problemResponse(problem);
    context.error(`${request.method} ${new URL(request.url).pathname} failed.`, error);
    return problemResponse({
      status: 500,
      type: 'internal-error',
      title: 'The service failed',
      detail: `Try again; if it stays, the log has the cause under the invocation ${context.invocationId}.`,
    });
  }
}

/** A JSON answer; answers about records are never cached. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpResponseInit {
  return { status, headers: { 'Cache-Control': 'no-store', ...headers }, jsonBody: body };
}
