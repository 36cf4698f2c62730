import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json, readJsonBody, respond } from '#lib/http';
import {
  checkPipelineId,
  createPipeline,
  explain,
  LOCAL_CALLER,
  parsePipelineRequest,
  pipelineView,
} from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `PUT /api/pipelines/{id}`: the whole journey as one resource. The same body again answers 200, another body 409. */
function putPipeline(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const id = request.params['id'] ?? '';
    checkPipelineId(id);
    const wanted = parsePipelineRequest(await readJsonBody(request), services.config);
    const { record, created } = await createPipeline(services, id, wanted, LOCAL_CALLER);
    return json(created ? 201 : 200, pipelineView(record), created ? { Location: `/api/pipelines/${id}` } : {});
  });
}

df.app.client.http('pipelines-put', {
  route: 'api/pipelines/{id}',
  methods: ['PUT'],
  handler: (request, _client, context) => putPipeline(request, context),
});
