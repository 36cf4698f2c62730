import { json, serve } from '#lib/http';
import { listPipelines, pipelineView } from '#lib/pipeline';
import { front } from './services.ts';

/** `GET /api/pipelines?state=&limit=`: the newest pipelines first, of those that the caller may read. */
serve('pipelines-list', front, async ({ services, caller, query }) => {
  const records = await listPipelines(services, caller, query);
  return json(200, { pipelines: records.map(pipelineView) });
});
