import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { childOptions, runAsChild } from '../../infra/local/child.ts';

const options = z.object({
  port: z.number(),
  systemKey: z.string().optional(),
  environment: z.record(z.string(), z.string()),
});

/**
 * Stands where the Functions host stands: answers Event Grid's webhook, and tells at /received what came, at /environment what it was
 * given.
 */
await runAsChild(async () => {
  const { port, systemKey, environment } = childOptions(options);
  const given = { ...process.env, ...environment };
  const received: unknown[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (request.method === 'POST' && searchParams.get('code') !== (systemKey ?? null)) response.statusCode = 401;
    else if (request.method === 'POST') received.push(...JSON.parse(body));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/environment' ? given : received));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: listening } = z.object({ port: z.number() }).parse(server.address());
  return {
    endpoints: { app: `http://127.0.0.1:${listening}` },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
});
