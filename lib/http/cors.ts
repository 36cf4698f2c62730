import type { HttpRequest, HttpResponseInit } from '@azure/functions';

const METHODS = 'GET, POST, PUT, DELETE';
const HEADERS = 'Authorization, Content-Type, If-Match, Idempotency-Key';
const EXPOSED = 'ETag, Location, Retry-After, WWW-Authenticate';
const PREFLIGHT_SECONDS = '600';

/** Lets a page of an allowed origin read the answer. No cookie is ever meant: callers come with tokens. */
export function corsHeaders(request: HttpRequest, allowedOrigins: readonly string[]): Record<string, string> {
  const origin = request.headers.get('origin');
  if (allowedOrigins.length === 0) return {};
  if (origin === null || !allowedOrigins.includes(origin)) return { Vary: 'Origin' };
  return { Vary: 'Origin', 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED };
}

/** Answers the question that a browser asks before it sends a page's request; a page of another origin gets no leave. */
export function preflight(request: HttpRequest, allowedOrigins: readonly string[]): HttpResponseInit {
  const headers = corsHeaders(request, allowedOrigins);
  const allowed = 'Access-Control-Allow-Origin' in headers && {
    'Access-Control-Allow-Methods': METHODS,
    'Access-Control-Allow-Headers': HEADERS,
    'Access-Control-Max-Age': PREFLIGHT_SECONDS,
  };
  return { status: 204, headers: { ...headers, ...allowed } };
}
