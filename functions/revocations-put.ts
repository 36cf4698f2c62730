import { json, serve } from '#lib/http';
import { plainFront } from './services.ts';

/** `PUT /api/revocations/{target}`: revokes a caller, or a signing key; it acts on this instance at once, on all within 60 s. */
serve('revocations-put', plainFront, async ({ services, caller, parameters: { target } }) => {
  const { created, revokedAt, by } = await services.revocations.revoke(target, caller.subject);
  return json(created ? 201 : 200, { target, revokedAt, by });
});
