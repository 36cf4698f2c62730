import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';
import { z } from 'zod';

export interface SentRequests extends Disposable {
  /** How many of this process' requests since then had this in their path and query. */
  count(part: string): number;
}

const started = z.object({ request: z.instanceof(ClientRequest) });

/** Watches what this process sends with Node's http and https clients, as the Azure SDKs do. */
export function watchRequests(): SentRequests {
  const paths: string[] = [];
  const channel = 'http.client.request.start';
  const onRequest = (message: unknown) => {
    paths.push(started.parse(message).request.path);
  };
  subscribe(channel, onRequest);
  return {
    count: (part) => paths.filter((path) => path.includes(part)).length,
    [Symbol.dispose]: () => {
      unsubscribe(channel, onRequest);
    },
  };
}
