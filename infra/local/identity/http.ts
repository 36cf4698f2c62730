import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';

/** A request, read whole. */
export interface IdentityRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** Decoded as UTF-8. */
  readonly body: string;
}

/** What is answered: JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Respond = (request: IdentityRequest) => Promise<Answer>;

/** Listening on one port of the loopback interface. */
export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

const BODY_LIMIT = 65_536;
const REQUEST_MILLISECONDS = 10_000;

/**
 * Answers on a port of 127.0.0.1; 0 stands for any free one. `onIpv6` has ::1 answer on the same port where this machine has it, since
 * `localhost` may mean either. Rejected with the system's error where a port is taken.
 */
export async function listen(
  create: () => Server,
  port: number,
  respondOn: (port: number) => Respond,
  { onIpv6 = false } = {},
): Promise<Listening> {
  const server = await open(create(), '127.0.0.1', port);
  const servers = [server];
  const closeAll = async () => {
    await Promise.all(servers.map(close));
  };
  try {
    const chosen = portOf(server);
    const second = onIpv6 ? await openIfThere(create(), '::1', chosen) : undefined;
    if (second !== undefined) servers.push(second);
    const respond = respondOn(chosen);
    for (const each of servers) {
      each.on('request', (request, response) => {
        void serve(request, response, respond);
      });
    }
    return { port: chosen, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function serve(message: IncomingMessage, response: ServerResponse, respond: Respond): Promise<void> {
  try {
    send(response, await answerTo(message, respond));
  } catch (error) {
    // A client that hangs up in the middle of its request is nobody's fault here.
    if (!message.complete) return;
    process.stderr.write(`A request could not be answered: ${String(error)}\n`);
    if (!response.headersSent) send(response, { status: 500, body: { error: 'server_error' } });
  }
}

async function answerTo(message: IncomingMessage, respond: Respond): Promise<Answer> {
  const url = URL.parse(`http://localhost${message.url}`);
  if (url === null) return { status: 400, body: { error: 'invalid_request' } };
  const body = await readBody(message);
  if (body === undefined) {
    return { status: 413, body: { error: 'invalid_request' }, headers: { connection: 'close' } };
  }
  return await respond({ method: message.method ?? '', url, headers: message.headers, body });
}

/** Undefined where it is larger than anything that is meant for us. */
async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store, no-cache',
      pragma: 'no-cache',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    .end(JSON.stringify(body));
}

async function open(server: Server, host: string, port: number): Promise<Server> {
  server.requestTimeout = REQUEST_MILLISECONDS;
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
  server.closeAllConnections();
  await closed;
}
