import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json, respond } from '#lib/http';
import { explain, listPipelines, pipelineView } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `GET /api/pipelines?state=&limit=`: the newest pipelines first. */
function readPipelines(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const query = { state: request.query.get('state') ?? undefined, limit: request.query.get('limit') ?? undefined };
    const records = await listPipelines(await servicesOf(context), query);
    return json(200, { pipelines: records.map(pipelineView) });
  });
}

df.app.client.http('pipelines-list', {
  route: 'api/pipelines',
  methods: ['GET'],
  handler: (request, _client, context) => readPipelines(request, context),
});
