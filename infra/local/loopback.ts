import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Listening on one port of the loopback interface. */
export interface Listening {
  readonly port: number;
  /** Cuts every connection off. */
  close(): Promise<void>;
}

export interface LoopbackOptions {
  /** 0 stands for any free one. */
  readonly port: number;
  /** Also on ::1 where this machine has it, since `localhost` may mean either. */
  readonly onIpv6?: boolean;
}

const REQUEST_MILLISECONDS = 10_000;

/**
 * Has servers of one kind listen on a port of 127.0.0.1, and of ::1 where that is wanted. Rejected with the system's error where the port
 * is taken.
 * @param attachOn knows the port, and has each server answer
 */
export async function listenOnLoopback(
  create: () => Server,
  { port, onIpv6 = false }: LoopbackOptions,
  attachOn: (port: number) => (server: Server) => void,
): Promise<Listening> {
  const sockets = new Set<Duplex>();
  const createBounded = () => {
    const server = create();
    server.requestTimeout = REQUEST_MILLISECONDS;
    for (const event of ['connection', 'secureConnection'] as const) {
      server.on(event, (socket: Duplex) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
    }
    return server;
  };
  const first = await open(createBounded(), '127.0.0.1', port);
  const servers = [first];
  const closeAll = async () => {
    const closed = Promise.all(servers.map(close));
    // Sockets, not requests, are cut: one may be in the middle of its TLS handshake.
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  try {
    const chosen = portOf(first);
    const second = onIpv6 ? await openIfThere(createBounded(), '::1', chosen) : undefined;
    if (second !== undefined) servers.push(second);
    servers.forEach(attachOn(chosen));
    return { port: chosen, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(server: Server, host: string, port: number): Promise<Server> {
  server.listen({ port, host, exclusive: true });
  await once(server, 'listening');
  return server;
}

/** A port that somebody else holds on that address is an error all the same: clients would talk to them. */
async function openIfThere(server: Server, host: string, port: number): Promise<Server | undefined> {
  try {
    return await open(server, host, port);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return undefined;
    throw error;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
