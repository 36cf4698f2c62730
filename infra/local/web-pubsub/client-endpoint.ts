import { randomBytes } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { ApiError } from './api-error.ts';
import { ClientConnection, type ClientProtocol, closeSocket } from './client-connection.ts';
import { serveSocket } from './client-session.ts';
import type { ClientGrant, ClientTokens } from './client-tokens.ts';
import { isAllowed, type RoleAssignments } from './data-actions.ts';
import type { ConnectOutcome, EventHandlers } from './event-handlers.ts';
import { GroupPermissions } from './group-permissions.ts';
import { type Handshake, parseHandshake, SUBPROTOCOLS, supportedOf } from './handshake.ts';
import type { Hubs } from './hubs.ts';
import { isGroupName } from './names.ts';

export interface ClientEndpointOptions {
  readonly hubs: Hubs;
  readonly tokens: ClientTokens;
  readonly handlers: EventHandlers;
  readonly roles: RoleAssignments;
  readonly now: () => Date;
  /** How long a reliable connection waits for its client to come back. */
  readonly recoveryMilliseconds: number;
}

const PROTOBUF: ReadonlySet<string> = new Set(['protobuf.webpubsub.azure.v1', 'protobuf.reliable.webpubsub.azure.v1']);
const MESSAGE_LIMIT = 1024 * 1024;
const CLOSE_MILLISECONDS = 500;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Where clients connect: checks who they are, and gives each socket to its connection. */
export class ClientEndpoint {
  readonly #options: ClientEndpointOptions;
  /** The subprotocol that each accepted request is answered with. */
  readonly #agreed = new WeakMap<IncomingMessage, string>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_LIMIT,
    perMessageDeflate: false,
    handleProtocols: (_offered, request) => this.#agreed.get(request) ?? false,
  });
  #isClosing = false;

  constructor(options: ClientEndpointOptions) {
    this.#options = options;
  }

  /** Answers a request for a WebSocket, whatever it is. */
  async upgrade(upgrade: Upgrade): Promise<void> {
    // A client that goes away in the middle is nobody's fault here.
    upgrade.socket.on('error', () => undefined);
    try {
      const handshake = parseHandshake(upgrade.request);
      if (typeof handshake === 'number') return refuse(upgrade.socket, handshake);
      if (this.#isClosing) return refuse(upgrade.socket, 503);
      await (handshake.recovery ? this.#recover(upgrade, handshake) : this.#connect(upgrade, handshake));
    } catch (error) {
      if (!(error instanceof ApiError)) process.stderr.write(`A client could not be let in: ${String(error)}\n`);
      refuse(upgrade.socket, error instanceof ApiError ? error.status : 500);
    }
  }

  /** Says goodbye to everybody; who does not answer is cut off. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const sockets = [...this.#server.clients];
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.close(GOING_AWAY, 'The service stops.');
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.terminate();
    }, CLOSE_MILLISECONDS);
    await Promise.all(closed);
    clearTimeout(cut);
    this.#server.close();
  }

  async #connect(upgrade: Upgrade, handshake: Handshake): Promise<void> {
    const { hubs, tokens, handlers, roles, now, recoveryMilliseconds } = this.#options;
    if (!handshake.token) return refuse(upgrade.socket, 401);
    const grant = await tokens.verify(handshake.token, handshake.hub);
    // The identity that asked for the token must still be allowed to have clients.
    if (grant.principal !== undefined && !isAllowed(roles, grant.principal, 'clientConnection/write')) {
      return refuse(upgrade.socket, 401);
    }
    if (!grant.groups.every(isGroupName)) return refuse(upgrade.socket, 400);
    if (isProtobufAlone(handshake.subprotocols)) return refuse(upgrade.socket, 501);
    const connectionId = randomBytes(16).toString('base64url');
    const outcome = await handlers.connect(connecting(connectionId, upgrade.request, handshake, grant));
    if (outcome.refusedWith !== undefined) return refuse(upgrade.socket, outcome.refusedWith);
    const { changes, state } = outcome;
    const subprotocol = subprotocolOf(outcome, handshake);
    if (subprotocol === false || !(changes.groups ?? []).every(isGroupName)) return refuse(upgrade.socket, 500);

    const socket = await this.#accept(upgrade, subprotocol);
    if (!socket) return;
    const connection = new ClientConnection({
      connectionId,
      hub: handshake.hub,
      userId: changes.userId ?? grant.userId,
      protocol: protocolOf(subprotocol),
      subprotocol,
      permissions: new GroupPermissions(changes.roles ?? grant.roles),
      reconnectionToken: randomBytes(32).toString('base64url'),
      recoveryMilliseconds,
      onEnded: (ended, reason) => {
        hubs.get(ended.hub).remove(ended);
        handlers.notify(ended, 'disconnected', reason);
      },
    });
    connection.state = state;
    const hub = hubs.get(handshake.hub);
    serveSocket(socket, { connection, hub, handlers, simpleMode: handshake.simpleMode, now });
    connection.attach(socket, now().getTime());
    hub.add(connection, [...grant.groups, ...(changes.groups ?? [])]);
    handlers.notify(connection, 'connected');
  }

  /** What cannot be taken up again is accepted and closed with 1008: a client that saw an HTTP error would try again and again. */
  async #recover(upgrade: Upgrade, { hub: name, subprotocols, recovery, simpleMode }: Handshake): Promise<void> {
    const { hubs, handlers, now } = this.#options;
    const socket = await this.#accept(upgrade, supportedOf(subprotocols));
    if (!socket) return;
    const hub = hubs.get(name);
    const connection = hub.find(recovery?.connectionId ?? '');
    const isSame =
      connection?.isReconnection(recovery?.reconnectionToken ?? '') && socket.protocol === connection.protocol;
    if (!connection || !isSame) {
      socket.on('error', () => undefined);
      return closeSocket(socket, POLICY_VIOLATION, 'The connection could not be recovered.');
    }
    serveSocket(socket, { connection, hub, handlers, simpleMode, now });
    connection.attach(socket, now().getTime());
  }

  /** Undefined where the client has gone, or its request is no proper one: then it has been answered. */
  async #accept({ request, socket, head }: Upgrade, subprotocol: string | undefined): Promise<WebSocket | undefined> {
    if (subprotocol !== undefined) this.#agreed.set(request, subprotocol);
    return await new Promise((resolve) => {
      socket.once('close', () => resolve(undefined));
      if (this.#isClosing) socket.destroy();
      if (socket.destroyed) return resolve(undefined);
      this.#server.handleUpgrade(request, socket, head, resolve);
    });
  }
}

/** A handler may choose among what the client offers; without its choice it is the first that is spoken here. False for a wrong choice. */
function subprotocolOf(outcome: ConnectOutcome, { subprotocols }: Handshake): string | undefined | false {
  const chosen = outcome.refusedWith === undefined ? outcome.changes.subprotocol : undefined;
  if (!chosen) return supportedOf(subprotocols);
  return subprotocols.includes(chosen) && chosen;
}

/** A client that speaks nothing else would not understand what it gets here. */
function isProtobufAlone(subprotocols: readonly string[]): boolean {
  return supportedOf(subprotocols) === undefined && subprotocols.some((each) => PROTOBUF.has(each));
}

function protocolOf(subprotocol: string | undefined): ClientProtocol {
  const known: Readonly<Record<string, ClientProtocol>> = SUBPROTOCOLS;
  return known[subprotocol ?? ''] ?? 'simple';
}

/** What a `connect` handler is told, without what only this service may see. */
function connecting(connectionId: string, { headers }: IncomingMessage, handshake: Handshake, grant: ClientGrant) {
  const { hub, query, subprotocols } = handshake;
  const names = [...new Set(query.keys())].filter((name) => name !== 'access_token');
  const sent = Object.entries(headers).filter(([name]) => name !== 'authorization');
  const lists = (entries: readonly (readonly [string, unknown])[]) =>
    Object.fromEntries(entries.map(([name, value]) => [name, (Array.isArray(value) ? value : [value]).map(String)]));
  return {
    connectionId,
    hub,
    userId: grant.userId,
    claims: lists(Object.entries(grant.claims)),
    query: Object.fromEntries(names.map((name) => [name, query.getAll(name)])),
    headers: lists(sent),
    subprotocols,
  };
}

function refuse(socket: Duplex, status: number): void {
  if (socket.destroyed) return;
  const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : '';
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${challenge}Connection: close\r\nContent-Length: 0\r\n\r\n`,
  );
  socket.once('finish', () => socket.destroy());
}
