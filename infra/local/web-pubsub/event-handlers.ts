import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type AccessKeys, signatureOf } from './access-keys.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientMessage } from './client-frames.ts';
import type { OwnTokens } from './own-identity.ts';
import { CONTENT_TYPES, dataTypeOf, type Metadata, type Payload, payloadOf } from './payload.ts';
import { type WebhookAnswer, WebhookError, Webhooks } from './webhook.ts';

/** As a hub's settings in Azure say them. */
export const eventHandlerSettings = z.object({
  hub: z.string(),
  /** May hold `{hub}` and `{event}`. */
  urlTemplate: z.string(),
  /** `*`, or names of events, comma-separated, which may hold `*`. */
  userEventPattern: z.string().default(''),
  systemEvents: z.array(z.enum(['connect', 'connected', 'disconnected'])).default([]),
  /** With `ManagedIdentity`: whom the tokens are for that it is shown. */
  auth: z.object({ resource: z.string() }).optional(),
});
export type EventHandlerSettings = z.output<typeof eventHandlerSettings>;

/** A client that wants to connect, before it does. */
export interface Connecting {
  readonly connectionId: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly claims: Readonly<Record<string, readonly string[]>>;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly subprotocols: readonly string[];
}

export const connectAnswer = z.object({
  userId: z.string().nullish(),
  groups: z.array(z.string()).nullish(),
  roles: z.array(z.string()).nullish(),
  subprotocol: z.string().nullish(),
});

/** What a `connect` handler says: it refuses with an HTTP status, or lets the client in, perhaps as somebody else. */
export type ConnectOutcome =
  | { readonly refusedWith: number }
  | {
      readonly refusedWith?: never;
      readonly changes: z.output<typeof connectAnswer>;
      readonly state: string | undefined;
    };

export interface UserEventAnswer {
  readonly payload: Payload;
  readonly metadata: Metadata | undefined;
}

interface SentEvent {
  readonly settings: EventHandlerSettings;
  readonly type: string;
  readonly event: string;
  readonly connection: Pick<ClientConnection, 'connectionId' | 'hub' | 'userId' | 'protocol' | 'state'>;
  readonly payload: Payload;
  readonly metadata?: Metadata | undefined;
  readonly retryDelays: readonly number[];
}

export interface EventHandlersOptions {
  readonly handlers: readonly EventHandlerSettings[];
  readonly accessKeys: AccessKeys;
  readonly ownToken: OwnTokens;
  readonly now: () => Date;
  /** Milliseconds before each repetition of what a handler did not take. */
  readonly retryDelays: readonly number[];
}

const METADATA_PREFIX = 'x-webpubsub-metadata-';

/** Tells the event handlers of a hub, over webhooks, what its clients do. */
export class EventHandlers {
  readonly #options: EventHandlersOptions;
  readonly #webhooks = new Webhooks('localhost');
  readonly #closing = new AbortController();

  constructor(options: EventHandlersOptions) {
    this.#options = options;
  }

  /** Lets everybody in where nobody wants to be asked. */
  async connect(client: Connecting): Promise<ConnectOutcome> {
    const settings = this.#find(client.hub, (each) => each.systemEvents.includes('connect'));
    if (!settings) return { changes: {}, state: undefined };
    const { claims, query, headers, subprotocols } = client;
    const text = JSON.stringify({ claims, query, headers, subprotocols, clientCertificates: [] });
    try {
      const answer = await this.#send({
        settings,
        type: 'azure.webpubsub.sys.connect',
        event: 'connect',
        connection: { ...client, protocol: undefined, state: undefined },
        payload: { dataType: 'json', text },
        retryDelays: [],
      });
      if (answer.status >= 400) return { refusedWith: answer.status };
      if (answer.status !== 200 && answer.status !== 204) return { refusedWith: 500 };
      const changes = answer.body.length === 0 ? {} : connectAnswer.parse(JSON.parse(answer.body.toString()));
      return { changes, state: stateOf(answer) };
    } catch (error) {
      complain('connect', error);
      return { refusedWith: 500 };
    }
  }

  /** Is not waited for. */
  notify(connection: ClientConnection, event: 'connected' | 'disconnected', reason = ''): void {
    const settings = this.#find(connection.hub, (each) => each.systemEvents.includes(event));
    if (!settings) return;
    const text = JSON.stringify(event === 'connected' ? {} : { reason });
    const payload: Payload = { dataType: 'json', text };
    const { retryDelays } = this.#options;
    this.#send({ settings, type: `azure.webpubsub.sys.${event}`, event, connection, payload, retryDelays }).then(
      ({ status }) => status >= 300 && complain(event, new WebhookError(`It answered ${status}.`)),
      (error: unknown) => this.#closing.signal.aborted || complain(event, error),
    );
  }

  /** What the handler answers to the client; undefined for nothing. Throws WebhookError where there is no handler, or it fails. */
  async userEvent(
    connection: ClientConnection,
    event: string,
    { payload, metadata }: Pick<ClientMessage, 'payload' | 'metadata'>,
  ): Promise<UserEventAnswer | undefined> {
    const settings = this.#find(connection.hub, ({ userEventPattern }) => isNamed(event, userEventPattern));
    if (!settings) throw new WebhookError('There is no event handler for it.');
    const type = `azure.webpubsub.user.${event}`;
    const { retryDelays } = this.#options;
    const answer = await this.#send({ settings, type, event, connection, payload, metadata, retryDelays });
    if (answer.status !== 200 && answer.status !== 204) throw new WebhookError(`It answered ${answer.status}.`);
    connection.state = stateOf(answer) ?? connection.state;
    return answerOf(answer);
  }

  /** Gives up what is under way. */
  close(): void {
    this.#closing.abort();
  }

  #find(hub: string, wants: (settings: EventHandlerSettings) => boolean): EventHandlerSettings | undefined {
    return this.#options.handlers.find((each) => each.hub.toLowerCase() === hub && wants(each));
  }

  async #send({
    settings,
    type,
    event,
    connection,
    payload,
    metadata,
    retryDelays,
  }: SentEvent): Promise<WebhookAnswer> {
    const { connectionId, hub, userId, protocol, state } = connection;
    const signature = signatureOf(connectionId, this.#options.accessKeys);
    const headers = {
      ...Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [METADATA_PREFIX + key, value])),
      'content-type': CONTENT_TYPES[payload.dataType],
      'ce-specversion': '1.0',
      'ce-awpsversion': '1.0',
      'ce-type': type,
      'ce-source': `/hubs/${hub}/client/${connectionId}`,
      'ce-id': randomUUID(),
      'ce-time': this.#options
        .now()
        .toISOString()
        .replace(/\.\d+Z$/, 'Z'),
      'ce-connectionId': connectionId,
      'ce-hub': hub,
      'ce-eventName': event,
      ...(userId !== undefined && { 'ce-userId': userId }),
      ...(protocol !== undefined && { 'ce-subprotocol': protocol }),
      ...(state !== undefined && { 'ce-connectionState': state }),
      ...(signature !== undefined && { 'ce-signature': signature }),
    };
    const body = 'text' in payload ? Buffer.from(payload.text) : payload.bytes;
    const { signal } = this.#closing;
    const url = urlOf(settings, hub, event);
    const { auth } = settings;
    const authorization = auth && (async () => `Bearer ${await this.#options.ownToken(auth.resource)}`);
    const request = { url, headers, body, authorization, retryDelays, signal };
    return await this.#webhooks.post(request, urlOf(settings, hub, 'validate'));
  }
}

function urlOf({ urlTemplate }: EventHandlerSettings, hub: string, event: string): string {
  return urlTemplate.replace(/\{hub\}/gi, encodeURIComponent(hub)).replace(/\{event\}/gi, encodeURIComponent(event));
}

function isNamed(event: string, pattern: string): boolean {
  return pattern.split(',').some((each) => {
    const parts = each.trim().toLowerCase().split('*');
    const text = parts.map((part) => part.replace(/[.\\+?^$()[\]{}|]/g, '\\$&')).join('.*');
    return text !== '' && new RegExp(`^${text}$`).test(event.toLowerCase());
  });
}

function stateOf({ headers }: WebhookAnswer): string | undefined {
  return headers.get('ce-connectionState') ?? undefined;
}

function answerOf({ headers, body }: WebhookAnswer): UserEventAnswer | undefined {
  const given = [...headers].filter(([name]) => name.startsWith(METADATA_PREFIX));
  const metadata = Object.fromEntries(given.map(([name, value]) => [name.slice(METADATA_PREFIX.length), value]));
  if (body.length === 0 && given.length === 0) return undefined;
  const payload = payloadOf(dataTypeOf(headers.get('content-type')) ?? 'binary', body);
  if (!payload) throw new WebhookError('Its answer is not what its content type says.');
  return { payload, metadata: given.length === 0 ? undefined : metadata };
}

function complain(event: string, error: unknown): void {
  process.stderr.write(
    `The event handler for ${event} failed: ${error instanceof Error ? error.message : String(error)}\n`,
  );
}
