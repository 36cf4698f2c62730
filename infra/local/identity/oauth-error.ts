import { randomUUID } from 'node:crypto';
import type { Answer } from './http.ts';

/** A refusal as Microsoft Entra words it (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). */
export interface OAuthError {
  readonly status: 400 | 401;
  /** Of RFC 6749, 5.2. */
  readonly error: string;
  /** The number behind `AADSTS`. */
  readonly code: number;
  /** Repeats nothing that was sent: whatever it is called, it may hold a secret. */
  readonly description: string;
}

const CORRELATION_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** `clientRequestId` is the client's own name for the request; it comes back where it is a GUID. */
export function oauthError(refusal: OAuthError, clientRequestId: string | null, now: Date): Answer {
  const { status, error, code } = refusal;
  const traceId = randomUUID();
  const correlationId = clientRequestId && CORRELATION_ID.test(clientRequestId) ? clientRequestId : randomUUID();
  const timestamp = `${now.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const description = `AADSTS${code}: ${refusal.description}`;
  process.stderr.write(`Token refused, ${error}: ${description}\n`);
  const body = {
    error,
    error_description: `${description} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
  };
  return { status, body, ...(status === 401 && { headers: { 'www-authenticate': 'Basic realm="token"' } }) };
}
