import type { ClientConnection } from './client-connection.ts';
import type { Filter } from './filter.ts';
import type { OutgoingMessage } from './outgoing-message.ts';

/** Whom a message or a close is not for. */
export interface Narrowing {
  readonly excluded?: ReadonlySet<string> | undefined;
  readonly filter?: Filter | undefined;
}

const NOBODY: ReadonlySet<ClientConnection> = new Set();

/** The connections of one hub, found by id, by user and by group. */
export class Hub {
  readonly #connections = new Map<string, ClientConnection>();
  readonly #byUser = new Map<string, Set<ClientConnection>>();
  readonly #byGroup = new Map<string, Set<ClientConnection>>();

  add(connection: ClientConnection, groups: Iterable<string>): void {
    this.#connections.set(connection.connectionId, connection);
    if (connection.userId !== undefined) addTo(this.#byUser, connection.userId, connection);
    for (const group of groups) this.join(connection, group);
  }

  remove(connection: ClientConnection): void {
    this.#connections.delete(connection.connectionId);
    if (connection.userId !== undefined) removeFrom(this.#byUser, connection.userId, connection);
    this.leaveAll(connection);
  }

  find(connectionId: string): ClientConnection | undefined {
    return this.#connections.get(connectionId);
  }

  all(): Iterable<ClientConnection> {
    return this.#connections.values();
  }

  ofUser(userId: string): ReadonlySet<ClientConnection> {
    return this.#byUser.get(userId) ?? NOBODY;
  }

  inGroup(group: string): ReadonlySet<ClientConnection> {
    return this.#byGroup.get(group) ?? NOBODY;
  }

  join(connection: ClientConnection, group: string): void {
    connection.groups.add(group);
    addTo(this.#byGroup, group, connection);
  }

  leave(connection: ClientConnection, group: string): void {
    connection.groups.delete(group);
    removeFrom(this.#byGroup, group, connection);
  }

  leaveAll(connection: ClientConnection): void {
    for (const group of connection.groups) this.leave(connection, group);
  }
}

/** Who is left of some connections, as a copy: what is done to them may change the hub. */
export function narrow(
  connections: Iterable<ClientConnection>,
  { excluded, filter }: Narrowing,
): readonly ClientConnection[] {
  return [...connections].filter(
    (connection) => !excluded?.has(connection.connectionId) && (filter?.(connection) ?? true),
  );
}

export function deliverTo(connections: Iterable<ClientConnection>, message: OutgoingMessage, only: Narrowing): void {
  for (const connection of narrow(connections, only)) connection.deliver(message);
}

function addTo(index: Map<string, Set<ClientConnection>>, key: string, connection: ClientConnection): void {
  const known = index.get(key);
  if (known) known.add(connection);
  else index.set(key, new Set([connection]));
}

function removeFrom(index: Map<string, Set<ClientConnection>>, key: string, connection: ClientConnection): void {
  const known = index.get(key);
  if (known?.delete(connection) && known.size === 0) index.delete(key);
}
