import type { TokenCredential } from '#lib/identity';
import { type ClientTokens, clientTokensOf } from './client-tokens.ts';
import { type LiveEvents, liveEventsOn } from './live-events.ts';
import { openService, type PubSubSettings } from './service.ts';
import { type Webhook, webhookOf } from './webhook.ts';

/** One hub of Web PubSub: what live clients hear, and how they get in. */
export interface PubSub {
  readonly events: LiveEvents;
  readonly tokens: ClientTokens;
  readonly webhook: Webhook;
}

/**
 * The Web PubSub of the settings, undefined where there is none. Nothing is sent before the first call.
 * @param credential the app's own identity, for an endpoint without a connection string
 * @throws PubSubError `connection_string`
 */
export function createPubSub(
  settings: PubSubSettings,
  credential: TokenCredential,
  now: () => Date,
): PubSub | undefined {
  const service = openService(settings, credential);
  if (service === undefined) return undefined;
  return {
    events: liveEventsOn(service),
    tokens: clientTokensOf(service, settings.CLIENT_TOKEN_MAX_MINUTES, now),
    webhook: webhookOf(service),
  };
}
