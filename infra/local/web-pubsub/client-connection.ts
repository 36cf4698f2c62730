import type { WebSocket } from 'ws';
import { isSameSecret } from '../identity/is-same-secret.ts';
import type { FilterSubject } from './filter-expression.ts';
import type { GroupPermissions } from './group-permissions.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { connectedFrame, disconnectedFrame } from './server-frames.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** How messages are written: by one of the two JSON subprotocols, or bare. */
export type ClientProtocol = 'json' | 'reliable-json' | 'simple';

export interface ClientConnectionOptions {
  readonly connectionId: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly protocol: ClientProtocol;
  /** As it was agreed in the handshake. */
  readonly subprotocol: string | undefined;
  readonly permissions: GroupPermissions;
  /** What the client must know to take a reliable connection up again. */
  readonly reconnectionToken: string;
  /** How long a reliable connection waits for its client to come back. */
  readonly recoveryMilliseconds: number;
  /** Called once, when nobody can come back any more. */
  readonly onEnded: (connection: ClientConnection, reason: string) => void;
}

/** What a client may leave unread before it is given up, in bytes: all that a reliable one may have unacknowledged, and a message more. */
const UNREAD_LIMIT = 17 * 1024 * 1024;
/** A client that does not answer a close has so long. */
const CLOSE_MILLISECONDS = 2000;
const NORMAL = 1000;
const POLICY_VIOLATION = 1008;
const ACK_MEMORY = 10_000;

/** One client, over one WebSocket after the other where its protocol is reliable. */
export class ClientConnection implements FilterSubject {
  readonly connectionId: string;
  readonly hub: string;
  readonly userId: string | undefined;
  readonly clientProtocol: ClientProtocol;
  readonly protocol: string | undefined;
  readonly permissions: GroupPermissions;
  /** Changed by its hub alone. */
  readonly groups = new Set<string>();
  /** What event handlers keep with a connection. */
  state: string | undefined;
  readonly #options: ClientConnectionOptions;
  readonly #unacknowledged: Unacknowledged | undefined;
  readonly #executed = new Set<string>();
  #socket: WebSocket | undefined;
  #recovery: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(options: ClientConnectionOptions) {
    this.#options = options;
    this.connectionId = options.connectionId;
    this.hub = options.hub;
    this.userId = options.userId;
    this.clientProtocol = options.protocol;
    this.protocol = options.subprotocol;
    this.permissions = options.permissions;
    this.#unacknowledged = options.protocol === 'reliable-json' ? new Unacknowledged() : undefined;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Says hello over a new socket, then sends again what was not acknowledged. A socket of before is given up. */
  attach(socket: WebSocket, now: number): void {
    clearTimeout(this.#recovery);
    const before = this.#socket;
    this.#socket = socket;
    if (before) closeSocket(before, POLICY_VIOLATION, 'The connection goes on over another socket.');
    if (this.clientProtocol === 'simple') return;
    const token = this.#unacknowledged && this.#options.reconnectionToken;
    this.send(connectedFrame(this.userId, this.connectionId, token));
    for (const { sequenceId, message } of this.#unacknowledged?.all(now) ?? []) {
      this.send(message.reliableJson(sequenceId));
    }
  }

  /** A socket has closed. With the code 1000 the client says that it is done; a reliable connection waits after any other. */
  detach(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket || this.#hasEnded) return;
    this.#socket = undefined;
    if (code === NORMAL || !this.#unacknowledged) {
      this.#finish(reason);
      return;
    }
    this.#recovery = setTimeout(
      () => this.#finish('The client did not come back.'),
      this.#options.recoveryMilliseconds,
    );
  }

  isReconnection(token: string): boolean {
    return this.#unacknowledged !== undefined && isSameSecret(token, this.#options.reconnectionToken);
  }

  acknowledge(sequenceId: number): void {
    this.#unacknowledged?.acknowledge(sequenceId);
  }

  /** Whether a request with this ack id was carried out before. */
  hasExecuted(ackId: string): boolean {
    return this.#executed.has(ackId);
  }

  rememberExecuted(ackId: string): void {
    this.#executed.add(ackId);
    const [oldest] = this.#executed;
    if (oldest !== undefined && this.#executed.size > ACK_MEMORY) this.#executed.delete(oldest);
  }

  deliver(message: OutgoingMessage): void {
    if (this.#hasEnded) return;
    if (this.clientProtocol === 'simple') this.send(message.raw());
    else if (!this.#unacknowledged) this.send(message.json());
    else this.#deliverReliably(message, this.#unacknowledged);
  }

  /** Sends one frame: a string or what a JSON subprotocol writes as text, else binary. Nothing where no socket is open. */
  send(frame: string | Buffer): void {
    const socket = this.#socket;
    if (!socket || socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > UNREAD_LIMIT) {
      this.end(POLICY_VIOLATION, 'The client reads too slowly.');
      return;
    }
    socket.send(frame, { binary: this.clientProtocol === 'simple' && typeof frame !== 'string' });
  }

  /** Ends it for good; nobody can take it up again. `message` is told to the client first. */
  end(code: number, reason: string, message?: string): void {
    if (this.#hasEnded) return;
    if (message !== undefined && this.clientProtocol !== 'simple') this.send(disconnectedFrame(message));
    if (this.#hasEnded) return;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#finish(reason);
    if (socket) closeSocket(socket, code, reason);
  }

  #deliverReliably(message: OutgoingMessage, unacknowledged: Unacknowledged): void {
    const numbered = unacknowledged.append(message);
    if (!numbered) this.end(POLICY_VIOLATION, 'Too much waits to be acknowledged.');
    else if (this.#socket) this.send(message.reliableJson(numbered.sequenceId));
  }

  #finish(reason: string): void {
    this.#hasEnded = true;
    clearTimeout(this.#recovery);
    this.#options.onEnded(this, reason);
  }
}

/** Closes it; whoever does not answer within two seconds is cut off. The reason of a close frame holds 123 bytes. */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  const cut = setTimeout(() => socket.terminate(), CLOSE_MILLISECONDS);
  socket.once('close', () => clearTimeout(cut));
  socket.close(code, shortened(reason));
}

function shortened(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= 123) return reason;
  return new TextDecoder().decode(bytes.subarray(0, 123)).replace(/\uFFFD+$/, '');
}
