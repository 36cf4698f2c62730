import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { type Listening, listenOnLoopback } from '../loopback.ts';

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

/** Longer than pauses between two events of a pipeline: a new TLS connection costs more than the call itself. */
const IDLE_MILLISECONDS = 65_000;

/** Answers HTTPS and WSS on a port of the loopback interface. Rejected with the system's error where the port is taken. */
export async function listen(
  { port, cert, key }: ListenerOptions,
  endpointsOn: (port: number) => Endpoints,
): Promise<Listening> {
  const create = () => createServer({ cert, key, keepAliveTimeout: IDLE_MILLISECONDS });
  return await listenOnLoopback(create, { port, onIpv6: true }, (chosen) => {
    const endpoints = endpointsOn(chosen);
    return (server) => {
      server.on('request', (message, response) => void endpoints.answer(message, response));
      server.on('upgrade', (request, socket, head) => void endpoints.upgrade({ request, socket, head }));
    };
  });
}
