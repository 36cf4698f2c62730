import { json, serve } from '#lib/http';
import { pipelineWithHistoryView, readablePipeline } from '#lib/pipeline';
import { front } from './services.ts';

/** `GET /api/pipelines/{id}`: how far the pipeline is, what came of each step, and its history. */
serve('pipelines-get', front, async ({ services, caller, parameters }) => {
  const record = await readablePipeline(services, caller, parameters.id);
  return json(200, await pipelineWithHistoryView(services, record));
});
