export { readablePipeline } from './access.ts';
export { clientAccessTokenFor, clientTokenFor } from './client-tokens.ts';
export { revoke } from './live-events-connections.ts';
export { allowedEventSource, welcome } from './new-connections.ts';
export { PipelineError } from './pipeline-error.ts';
export { pipelineRequestOf, refuseReservedId } from './pipeline-request.ts';
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
  idOfIdempotencyKey,
  listPipelines,
  renewLease,
  setReaders,
  stopPipeline,
} from './pipelines.ts';
export { explain } from './problems.ts';
export { readiness } from './readiness.ts';
export { type Sweep, sweep } from './reaper.ts';
export { secretsInSettings } from './secrets-in-settings.ts';
export { buildFoundation, type Foundation, type Services, servicesOn } from './services.ts';
export { createUpload, getAsset } from './signed-urls.ts';
export { accountToken, stsTokenFor } from './sts-tokens.ts';
export { onUpload } from './uploads.ts';
export { leaseView, pipelineView, pipelineWithHistoryView } from './views.ts';
