import { json, serve } from '#lib/http';
import { pipelineView, stopPipeline } from '#lib/pipeline';
import { front } from './services.ts';

/** `DELETE /api/pipelines/{id}`: asks the pipeline to stop; its record stays. */
serve('pipelines-delete', front, async ({ services, caller, parameters }) =>
  json(202, pipelineView(await stopPipeline(services, caller, parameters.id))),
);
