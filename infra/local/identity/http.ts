import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { type Listening, type LoopbackOptions, listenOnLoopback } from '../loopback.ts';

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

const BODY_LIMIT = 65_536;

/** Answers on a port of the loopback interface. Rejected with the system's error where it is taken. */
export async function listen(
  create: () => Server,
  options: LoopbackOptions,
  respondOn: (port: number) => Respond,
): Promise<Listening> {
  return await listenOnLoopback(create, options, (port) => {
    const respond = respondOn(port);
    return (server) => {
      server.on('request', (request, response) => void serve(request, response, respond));
    };
  });
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
