import { json, serve } from '#lib/http';
import { pipelineView, setReaders } from '#lib/pipeline';
import { front } from './services.ts';

/** `PUT /api/pipelines/{id}/readers`: who may read the pipeline beside its owner and Administrators. */
serve('readers-put', front, async ({ services, caller, parameters, body }) =>
  json(200, pipelineView(await setReaders(services, caller, parameters.id, body.readers))),
);
