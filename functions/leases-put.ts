import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { etagOf, json, readBody, respond, revisionOfIfMatch } from '#lib/http';
import { explain, getPipeline, leaseView, renewal, renewLease } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `PUT /api/pipelines/{id}/lease`: renews the lease to a larger total; If-Match says which lease the caller has seen. */
function putLease(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const { maxLeaseSeconds } = await readBody(request, renewal);
    const revision = revisionOfIfMatch(request);
    const { id } = await getPipeline(services, request.params['id'] ?? '');
    const lease = await renewLease(services, id, maxLeaseSeconds, revision);
    return json(200, leaseView(lease, services.now()), { ETag: etagOf(lease.revision) });
  });
}

df.app.client.http('leases-put', {
  route: 'api/pipelines/{id}/lease',
  methods: ['PUT'],
  handler: (request, _client, context) => putLease(request, context),
});
