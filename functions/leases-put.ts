import { etagOf, json, revisionOfIfMatch, serve } from '#lib/http';
import { leaseView, renewLease } from '#lib/pipeline';
import { front } from './services.ts';

/** `PUT /api/pipelines/{id}/lease`: renews the lease to a larger total; If-Match says which lease the caller has seen. */
serve('leases-put', front, async ({ services, caller, parameters, body, request }) => {
  const revision = revisionOfIfMatch(request);
  const lease = await renewLease(services, caller, parameters.id, body.maxLeaseSeconds, revision);
  return json(200, leaseView(lease, services.now()), { ETag: etagOf(lease.revision) });
});
