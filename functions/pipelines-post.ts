import { randomUUID } from 'node:crypto';
import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json, readJsonBody, respond } from '#lib/http';
import {
  createPipeline,
  explain,
  idOfIdempotencyKey,
  LOCAL_CALLER,
  parsePipelineRequest,
  pipelineView,
} from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `POST /api/pipelines`: as PUT, under an id of ours. The same Idempotency-Key again answers with the same pipeline. */
function postPipeline(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const wanted = parsePipelineRequest(await readJsonBody(request), services.config);
    const key = request.headers.get('idempotency-key');
    const id = key ? idOfIdempotencyKey(LOCAL_CALLER.owner, key) : randomUUID();
    const { record, created } = await createPipeline(services, id, wanted, LOCAL_CALLER);
    return json(created ? 201 : 200, pipelineView(record), { Location: `/api/pipelines/${id}` });
  });
}

df.app.client.http('pipelines-post', {
  route: 'api/pipelines',
  methods: ['POST'],
  handler: (request, _client, context) => postPipeline(request, context),
});
