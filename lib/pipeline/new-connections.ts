import type { ConnectedEvent } from '#lib/api';
import { unauthenticated } from '#lib/http';
import type { Revocations } from '#lib/records';
import type { LiveParts } from './client-tokens.ts';
import { closeRevoked, type Live } from './live-events-connections.ts';
import { noLiveEvents } from './no-live-events.ts';
import { PipelineError } from './pipeline-error.ts';
import type { PresentStates } from './present-states.ts';

export interface NewConnectionParts extends Pick<LiveParts, 'config' | 'pubsub'> {
  readonly live?: Live | undefined;
  readonly presentStates: PresentStates | undefined;
  readonly revocations: Revocations;
}

/**
 * What a new connection is due: the present states, or its end where its user is revoked and came back with an old token.
 * @returns what could not be done, in words; it says nothing about who asked
 * @throws ProblemError 401 where the event is not signed, 503 without Web PubSub; PipelineError `invalid` for another hub
 */
export async function welcome(parts: NewConnectionParts, event: ConnectedEvent): Promise<readonly string[]> {
  const { config, pubsub, live, presentStates, revocations } = parts;
  if (pubsub === undefined || live === undefined || presentStates === undefined) throw noLiveEvents();
  const { 'ce-connectionId': connectionId, 'ce-userId': userId, 'ce-signature': signature, 'ce-hub': hub } = event;
  if (!pubsub.webhook.isSigned(connectionId, signature)) {
    throw unauthenticated('The event is not signed with the access key of Web PubSub.');
  }
  if (hub.toLowerCase() !== config.WEB_PUBSUB_HUB.toLowerCase()) {
    throw new PipelineError('invalid', `Live events go through the hub ${config.WEB_PUBSUB_HUB} alone.`, 'ce-hub');
  }
  try {
    if (userId === undefined || !(await revocations.isRevoked(userId))) return await presentStates.tell(connectionId);
    await closeRevoked(live.connections, userId);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/**
 * The host that Web PubSub's handshake is answered with, where it is ours.
 * @param origins what the request says of where it comes from
 * @throws ProblemError 503 without Web PubSub; PipelineError `forbidden` for another host
 */
export function allowedEventSource({ pubsub }: Pick<LiveParts, 'pubsub'>, origins: string): string {
  if (pubsub === undefined) throw noLiveEvents();
  if (pubsub.webhook.allows(origins)) return pubsub.webhook.host;
  throw new PipelineError(
    'forbidden',
    'Events are taken from the Web PubSub of this app alone.',
    'WebHook-Request-Origin',
  );
}
