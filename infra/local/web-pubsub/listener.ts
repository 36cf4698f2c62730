import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';

/** Listening on one port of the loopback interface. */
export interface Listener {
  readonly port: number;
  /** Cuts every connection off. */
  close(): Promise<void>;
}

export interface Endpoints {
  readonly answer: (message: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly upgrade: (upgrade: {
    readonly request: IncomingMessage;
    readonly socket: Duplex;
    readonly head: Buffer;
  }) => Promise<void>;
}

export interface ListenerOptions {
  /** 0 stands for any free one. */
  readonly port: number;
  /** In PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

const REQUEST_MILLISECONDS = 10_000;
/** Longer than pauses between two events of a pipeline: a new TLS connection costs more than the call itself. */
const IDLE_MILLISECONDS = 65_000;

/**
 * Answers HTTPS and WSS on a port of 127.0.0.1, and of ::1 where this machine has it, since `localhost` may mean either. Rejected with
 * the system's error where the port is taken.
 */
export async function listen(
  { port, cert, key }: ListenerOptions,
  endpointsOn: (port: number) => Endpoints,
): Promise<Listener> {
  const sockets = new Set<Duplex>();
  const create = () => {
    const server = createServer({ cert, key });
    server.requestTimeout = REQUEST_MILLISECONDS;
    server.keepAliveTimeout = IDLE_MILLISECONDS;
    for (const event of ['connection', 'secureConnection'] as const) {
      server.on(event, (socket: Duplex) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
    }
    return server;
  };
  const servers = [await open(create(), '127.0.0.1', port)];
  const closeAll = async () => {
    const closed = Promise.all(servers.map(close));
    // Sockets, not requests, are cut: one may be in the middle of its TLS handshake.
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  try {
    const chosen = portOf(servers[0]);
    const second = await openIfThere(create(), '::1', chosen);
    if (second) servers.push(second);
    const endpoints = endpointsOn(chosen);
    for (const server of servers) {
      server.on('request', (message, response) => void endpoints.answer(message, response));
      server.on('upgrade', (request, socket, head) => void endpoints.upgrade({ request, socket, head }));
    }
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

function portOf(server: Server | undefined): number {
  const address = server?.address() ?? null;
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}
