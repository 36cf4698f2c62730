export type { ClientTokenRequest } from './client-tokens.ts';
export { parseConnectionString } from './connection-string.ts';
export type { Audience, LiveEvents } from './live-events.ts';
export { ADMINISTRATORS, CLIENTS, groupOfJoinRole, isRole, joinRole, pipelineGroup } from './names.ts';
export { createPubSub, type PubSub } from './pubsub.ts';
export { PubSubError, type PubSubErrorCode } from './pubsub-error.ts';
