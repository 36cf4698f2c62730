import { randomBytes } from 'node:crypto';
import type { HttpResponseInit } from '@azure/functions';

/**
 * An answer of the retired service's own routes, with the headers that each of them had (contract 1.5 and 4.1): compact JSON, or nothing
 * at all where it refuses.
 */
export function accountAnswer(
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponseInit {
  return {
    status,
    headers: {
      'MS-CV': `${randomBytes(16).toString('base64').slice(0, 22)}.0`,
      ...(body !== undefined && {
        'Content-Type': 'application/json; charset=utf-8',
        'Cache-Control': 'no-store,no-cache',
        Pragma: 'no-cache',
      }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}
