export { PipelineError } from './pipeline-error.ts';
export { checkPipelineId, parsePipelineRequest } from './pipeline-request.ts';
export {
  awaitFiles,
  convert,
  nextPipelineStep,
  startSession,
  stop,
  watchSession,
} from './pipeline-steps.ts';
export {
  createPipeline,
  getLease,
  getPipeline,
  historyView,
  idOfIdempotencyKey,
  LOCAL_CALLER,
  leaseView,
  listPipelines,
  pipelineView,
  renewal,
  renewLease,
  stopPipeline,
} from './pipelines.ts';
export { explain } from './problems.ts';
export { readiness } from './readiness.ts';
export { type Sweep, sweep } from './reaper.ts';
export { createServices, type Services } from './services.ts';
export { onUpload } from './uploads.ts';
