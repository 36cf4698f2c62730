import { z } from 'zod';

/** Longer than any token that an STS or Microsoft Entra gives; Node takes 16 KiB of headers in all. */
export const MAX_TOKEN_LENGTH = 16_384;

const compactJws = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+$/;
/** The latest instant that a Date can hold, in seconds. */
const LATEST_SECONDS = 8_640_000_000_000;
const seconds = z.number().positive().max(LATEST_SECONDS);
/** The original libraries take a number in quotes too (contract 4.2). */
const expiry = z.union([
  seconds,
  z
    .string()
    .regex(/^\d{1,13}$/)
    .transform(Number)
    .pipe(seconds),
]);
const roles = z.union([z.array(z.string()), z.string().transform((role) => [role])]);

/** True for three parts of base64url with dots between them, none of them empty and all together of a sane length. */
export function isCompactJws(token: string): boolean {
  return token.length <= MAX_TOKEN_LENGTH && compactJws.test(token);
}

/** When a token expires by its `exp`, unverified; undefined where it is no token or says nothing usable. */
export function expiryOf(token: string): Date | undefined {
  const parsed = z.object({ exp: expiry }).safeParse(claimsOf(token));
  return parsed.success ? new Date(parsed.data.exp * 1000) : undefined;
}

/**
 * The `roles` that a token carries, none where it carries none.
 * Nothing is verified: this is for a token that the STS itself gave us over TLS, where the connection says who made it. It is no
 * way to judge a token that a caller brings.
 */
export function rolesOf(token: string): readonly string[] {
  const parsed = z.object({ roles }).safeParse(claimsOf(token));
  return parsed.success ? parsed.data.roles : [];
}

function claimsOf(token: string): unknown {
  const payload = isCompactJws(token) ? compactJws.exec(token)?.[1] : undefined;
  if (payload === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
