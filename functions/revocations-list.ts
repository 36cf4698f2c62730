import { json, serve } from '#lib/http';
import { plainFront } from './services.ts';

/** `GET /api/revocations`: who and what is revoked, the newest first. */
serve('revocations-list', plainFront, async ({ services }) =>
  json(200, {
    revocations: (await services.revocations.list()).toSorted((one, other) =>
      one.revokedAt < other.revokedAt ? 1 : -1,
    ),
  }),
);
