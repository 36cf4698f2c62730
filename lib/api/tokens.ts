import { z } from 'zod';
import { ROLES } from './roles.ts';
import { instant } from './values.ts';

/** The body of `POST /api/tokens/sts`, which may be left out. */
export const stsTokenBody = z
  .strictObject({
    role: z
      .enum(ROLES)
      .optional()
      .meta({ description: "A role of the caller's own; the widest where it is left out." }),
  })
  .default({});

/** A Mixed Reality access token. */
export const stsTokenAnswer = z
  .object({
    token: z.string(),
    expiresOn: instant,
    accountId: z.string(),
    accountDomain: z.string(),
    role: z.enum(ROLES),
    subject: z.string().nullable().meta({ description: 'Whom it was issued to; null for a shared token.' }),
    shared: z.boolean().meta({
      description: "True where it is the suite's own token of an STS elsewhere, passed on: every caller gets the same.",
    }),
  })
  .meta({ id: 'StsToken' });
export type StsTokenAnswer = z.output<typeof stsTokenAnswer>;

/** What the STS itself answers (contract 4.1), with that capital. */
export const accountTokenAnswer = z.object({ AccessToken: z.string() });

export const jwks = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });

/** A caller's object id, or the kid of a signing key. */
export const revocationTarget = z
  .string()
  .regex(/^[A-Za-z0-9._@:-]{1,128}$/, "must be a caller's object id, or the kid of a signing key");

export const revocationAnswer = z
  .object({ target: z.string(), revokedAt: instant, by: z.string() })
  .meta({ id: 'Revocation' });

export const revocationList = z.object({ revocations: z.array(revocationAnswer) });
