import { json, serve } from '#lib/http';
import { revoke } from '#lib/pipeline';
import { plainFront } from './services.ts';

/**
 * `PUT /api/revocations/{target}`: revokes a caller, or a signing key; it acts on this instance and on live connections at once, on all
 * instances within 60 s.
 */
serve('revocations-put', plainFront, async ({ services, caller, parameters: { target } }) => {
  const { created, revokedAt, by } = await revoke(services, target, caller.subject);
  return json(created ? 201 : 200, { target, revokedAt, by });
});
