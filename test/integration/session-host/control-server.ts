import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Heartbeat, HeartbeatAnswer } from '../../../infra/session-host/heartbeat.ts';

export const SECRET = 'machine-secret';

/** A control plane as a session host sees it: it takes heartbeats, and answers as the test says; and a storage with blobs. */
export interface ControlServer extends AsyncDisposable {
  readonly heartbeatUrl: string;
  readonly heartbeats: readonly Heartbeat[];
  /** The last heartbeat that came. */
  latest(): Heartbeat | undefined;
  /** From now on: an answer, another status, or silence. */
  answerWith(answer: Partial<HeartbeatAnswer> | number | 'nothing' | 'a page of another server'): void;
  /** Serves a blob. @returns its URL */
  serve(path: string, content: Buffer | ((response: ServerResponse) => void)): string;
  /** How often a blob was asked for. */
  requestsOf(path: string): number;
}

const PROBLEM = { 'content-type': 'application/problem+json' };
const CALM: HeartbeatAnswer = { remainingSeconds: null, stop: false, asset: null, nextSeconds: 0.2 };

export async function startControlServer(): Promise<ControlServer> {
  const heartbeats: Heartbeat[] = [];
  const blobs = new Map<string, Buffer | ((response: ServerResponse) => void)>();
  const requests: string[] = [];
  let answer: Partial<HeartbeatAnswer> | number | 'nothing' | 'a page of another server' = {};

  const sendBlob = (path: string, response: ServerResponse) => {
    requests.push(path);
    const blob = blobs.get(path);
    if (typeof blob === 'function') blob(response);
    else response.writeHead(blob === undefined ? 404 : 200).end(blob);
  };
  const answerHeartbeat = async (request: IncomingMessage, response: ServerResponse) => {
    heartbeats.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    if (answer === 'nothing') return;
    if (request.headers.authorization !== `Bearer ${SECRET}`) response.writeHead(401, PROBLEM).end();
    else if (answer === 'a page of another server') response.writeHead(404, { 'content-type': 'text/html' }).end();
    else if (typeof answer === 'number') response.writeHead(answer, PROBLEM).end();
    else response.writeHead(200).end(JSON.stringify({ ...CALM, ...answer }));
  };
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (request.method === 'GET') sendBlob(path, response);
    else answerHeartbeat(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;

  return {
    heartbeatUrl: `${origin}/heartbeats`,
    heartbeats,
    latest: () => heartbeats.at(-1),
    answerWith(next) {
      answer = next;
    },
    serve(path, content) {
      blobs.set(path, content);
      return `${origin}${path}`;
    },
    requestsOf: (path) => requests.filter((each) => each === path).length,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
