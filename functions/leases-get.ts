import { etagOf, json, serve } from '#lib/http';
import { getLease, leaseView } from '#lib/pipeline';
import { front } from './services.ts';

/** `GET /api/pipelines/{id}/lease`: the lease of the pipeline's session, under an ETag of its own. */
serve('leases-get', front, async ({ services, caller, parameters }) => {
  const lease = await getLease(services, caller, parameters.id);
  return json(200, leaseView(lease, services.now()), { ETag: etagOf(lease.revision) });
});
