import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { etagOf, json, respond } from '#lib/http';
import { explain, getLease, leaseView } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `GET /api/pipelines/{id}/lease`: the lease of the pipeline's session, under an ETag of its own. */
function readLease(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const lease = await getLease(services, request.params['id'] ?? '');
    return json(200, leaseView(lease, services.now()), { ETag: etagOf(lease.revision) });
  });
}

df.app.client.http('leases-get', {
  route: 'api/pipelines/{id}/lease',
  methods: ['GET'],
  handler: (request, _client, context) => readLease(request, context),
});
