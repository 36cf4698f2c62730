import { serve } from '#lib/http';
import { plainFront } from './services.ts';

/** `DELETE /api/revocations/{target}`: takes a revocation back. */
serve('revocations-delete', plainFront, async ({ services, parameters }) => {
  await services.revocations.restore(parameters.target);
  return { status: 204 };
});
