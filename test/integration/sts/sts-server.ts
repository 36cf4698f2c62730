import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** An STS on loopback that answers as a test tells it, and keeps what it was asked. */
export interface StsServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  /** Answers the coming requests one by one, the last answer again and again. */
  answer(...answers: readonly Answer[]): void;
}

export async function startStsServer(): Promise<StsServer> {
  const requests: IncomingMessage[] = [];
  let answers: Answer[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const [answer] = answers.length > 1 ? answers.splice(0, 1) : answers;
    answer?.(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer: (...given) => {
      answers = [...given];
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A token as the service signs it, but for its signature. */
export function tokenWith(payload: unknown): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(payload)}.c2lnbmF0dXJl`;
}

export const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(status, { 'MS-CV': 'service.cv.0', ...headers }).end(body);

export const answerToken = (payload: unknown): Answer =>
  answerWith(200, { 'Content-Type': 'application/json' }, JSON.stringify({ AccessToken: tokenWith(payload) }));
