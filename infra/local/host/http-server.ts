import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { HostError, messageOf } from './host-error.ts';
import type { HostLog } from './host-log.ts';

/** A request as the host's endpoints see it. */
export interface HostRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The whole body; empty where Azure would lose it too. */
  readonly body: Buffer;
}

/** Answers a request, or says false: then the next endpoint is asked, and after the last one it is 404. */
export type Endpoint = (request: HostRequest) => Promise<boolean>;

export interface HttpServer {
  /** Over HTTP. No URL has a slash at its end. */
  readonly url: string;
  /** The same over HTTPS, where it was asked for. */
  readonly httpsUrl: string | undefined;
  /** From here on requests are answered; before, they get 503. */
  serve(endpoints: readonly Endpoint[]): void;
  close(): Promise<void>;
}

/** A second way in, over HTTPS. */
export interface HttpsOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Paths of PEM files. */
  readonly certificate: string;
  readonly key: string;
}

/** The real host's limit for a request body, in bytes. */
const bodyLimit = 104_857_600;

/** Listens on 127.0.0.1. Throws HostError `port-in-use` where a port is taken; port 0 takes a free one. */
export async function listen(port: number, https: HttpsOptions | undefined, log: HostLog): Promise<HttpServer> {
  let endpoints: readonly Endpoint[] | undefined;
  const answerOver = (scheme: 'http' | 'https') => (message: IncomingMessage, response: ServerResponse) => {
    answer(message, response, scheme, endpoints, log).catch((error: unknown) => {
      log('error', 'host', `${message.method} ${message.url}: ${messageOf(error)}`);
      if (response.headersSent) response.destroy();
      else sendEmpty(response, 500);
    });
  };
  const plain = await bind(createServer(answerOver('http')), port);
  const secure = https && (await bindSecure(https, answerOver('https')).catch(afterwards(plain.close)));
  return {
    url: `http://127.0.0.1:${plain.port}`,
    httpsUrl: secure && `https://127.0.0.1:${secure.port}`,
    serve: (ready) => {
      endpoints = ready;
    },
    close: async () => {
      await Promise.all([plain.close(), secure?.close()]);
    },
  };
}

export function sendEmpty(response: ServerResponse, status: number): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  response.writeHead(status, { 'content-length': 0 }).end();
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  scheme: 'http' | 'https',
  endpoints: readonly Endpoint[] | undefined,
  log: HostLog,
): Promise<void> {
  if (!endpoints) return sendEmpty(response, 503);
  const url = URL.parse(message.url ?? '/', `${scheme}://${message.headers.host ?? '127.0.0.1'}`);
  if (!url) return sendEmpty(response, 400);
  const body = await readBody(message, log);
  if (body === 'too-large') {
    response.setHeader('connection', 'close');
    response.writeHead(413, { 'content-length': 0 }).end();
    return;
  }
  if (body === 'cut-off') return;
  const request = { message, response, url, body };
  for (const endpoint of endpoints) {
    if (await endpoint(request)) return;
  }
  sendEmpty(response, 404);
}

/**
 * The real host hands a body over only when the request says its length: a chunked body is lost there (reference: HTTP triggers),
 * so it is dropped here too, and said.
 */
async function readBody(message: IncomingMessage, log: HostLog): Promise<Buffer | 'too-large' | 'cut-off'> {
  const length = Number(message.headers['content-length'] ?? 0);
  if (length > bodyLimit) return 'too-large';
  if (length === 0 && message.headers['transfer-encoding'] !== undefined) {
    log(
      'warning',
      'host',
      `${message.method} ${message.url}: a chunked body is lost in Azure, and dropped here: send content-length.`,
    );
    message.resume();
    return Buffer.alloc(0);
  }
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk);
  } catch {
    return 'cut-off';
  }
  return Buffer.concat(chunks);
}

interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

async function bindSecure(
  { port, certificate, key }: HttpsOptions,
  answers: (message: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const [cert, privateKey] = await Promise.all([readFile(certificate), readFile(key)]);
  return await bind(createSecureServer({ cert, key: privateKey }, answers), port);
}

async function bind(server: Server, port: number): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const message = `Port ${port} on 127.0.0.1 is taken: stop what listens there, or choose another with --port.`;
      reject(new HostError('port-in-use', message, { cause: error }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: portOf(server),
    close: async () => {
      // Answers under way get a moment to leave. Then sockets, not requests, are cut: one may be in the middle of its TLS handshake.
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, 500);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(cut);
    },
  };
}

function afterwards(close: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await close();
    throw error;
  };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}
