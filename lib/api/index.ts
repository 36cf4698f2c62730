export {
  type ClientTokenAnswer,
  type ClientTokenBody,
  type ClientTokenQuery,
  clientTokenAnswer,
} from './client-tokens.ts';
export { conversionProgress } from './conversion-progress.ts';
export type { HeartbeatAnswer, HeartbeatBody } from './heartbeats.ts';
export { heartbeatBody } from './heartbeats.ts';
export { type LiveEvent, liveEvent, liveEventOf } from './live-events.ts';
export {
  type AssetAnswer,
  assetAnswer,
  type HistoryEntry,
  type LeaseAnswer,
  leaseAnswer,
  type PipelineAnswer,
  type PipelineBody,
  type PipelineWithHistory,
  pipelineAnswer,
  pipelineBody,
  pipelineId,
  pipelineList,
  pipelineWithHistory,
} from './pipelines.ts';
export { type AppRole, EVENT_SOURCE, ROLES, type Role, rolesAmong } from './roles.ts';
export { type Access, type Route, type RouteName, routes } from './routes.ts';
export { revocationAnswer, revocationList, type StsTokenAnswer, stsTokenAnswer } from './tokens.ts';
export { MAX_UPLOAD_BYTES, type UploadAnswer, type UploadBody, uploadAnswer } from './uploads.ts';
export { problem } from './values.ts';
export type { ConnectedEvent } from './web-pubsub-events.ts';
