import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { ROLES } from '#lib/api';
import { childOptions, runAsChild } from '../../infra/local/child.ts';

const options = z.object({ milliseconds: z.number() });

/** An STS that takes so long for each token, and counts them: `GET /count`. Its tokens are good for an hour. */
await runAsChild(async () => {
  const { milliseconds } = childOptions(options);
  let count = 0;
  const server = createServer(async (request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/count') return response.end(JSON.stringify({ count }));
    count += 1;
    await wait(milliseconds);
    const claims = { roles: [ROLES.client], exp: Math.floor(Date.now() / 1000) + 3600 };
    const AccessToken = ['{"alg":"RS256"}', JSON.stringify(claims), `${count}`].map((part) =>
      Buffer.from(part).toString('base64url'),
    );
    return response.end(JSON.stringify({ AccessToken: AccessToken.join('.') }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    endpoints: { sts: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` },
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
});
