import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface EventAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A webhook that keeps what it is sent and answers what a test wants. */
export interface EventServer extends AsyncDisposable {
  readonly url: string;
  /** Requests to validate it. */
  readonly validations: SentRequest[];
  readonly events: SentRequest[];
  /** Of the event that the path ends with. */
  eventsOf(name: string): SentRequest[];
  allowedOrigin: string | undefined;
  answer: (request: SentRequest) => EventAnswer | Promise<EventAnswer>;
}

export async function startEventServer(): Promise<EventServer> {
  const validations: SentRequest[] = [];
  const events: SentRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const sent = { method, path, headers, body: Buffer.concat(chunks).toString() };
    if (method === 'OPTIONS') {
      validations.push(sent);
      if (state.allowedOrigin !== undefined) response.setHeader('WebHook-Allowed-Origin', state.allowedOrigin);
      response.end();
      return;
    }
    events.push(sent);
    const { status = 204, headers: answered = {}, body } = await state.answer(sent);
    response.writeHead(status, answered).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const state: EventServer = {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    validations,
    events,
    eventsOf: (name) => events.filter(({ path }) => path.endsWith(`/${name}`)),
    allowedOrigin: '*',
    answer: () => ({}),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return state;
}
