import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json, respond } from '#lib/http';
import { explain, getPipeline, historyView, pipelineView } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `GET /api/pipelines/{id}`: how far the pipeline is, what came of each step, and its history. */
function readPipeline(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const record = await getPipeline(services, request.params['id'] ?? '');
    const history = await services.pipelines.history(record.id);
    return json(200, { ...pipelineView(record), history: historyView(record, history) });
  });
}

df.app.client.http('pipelines-get', {
  route: 'api/pipelines/{id}',
  methods: ['GET'],
  handler: (request, _client, context) => readPipeline(request, context),
});
