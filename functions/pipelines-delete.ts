import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json, respond } from '#lib/http';
import { explain, LOCAL_CALLER, pipelineView, stopPipeline } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `DELETE /api/pipelines/{id}`: asks the pipeline to stop; its record stays. */
function deletePipeline(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const evidence = `${LOCAL_CALLER.owner} asked for it.`;
    const record = await stopPipeline(services, request.params['id'] ?? '', evidence);
    return json(202, pipelineView(record));
  });
}

df.app.client.http('pipelines-delete', {
  route: 'api/pipelines/{id}',
  methods: ['DELETE'],
  handler: (request, _client, context) => deletePipeline(request, context),
});
