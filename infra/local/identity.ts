import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { z } from 'zod';
import { type ChildService, childOptions, runAsChild } from './child.ts';
import { authorityEndpoints } from './identity/authority.ts';
import { listen } from './identity/http.ts';
import { MANAGED_IDENTITY_PATH, managedIdentityEndpoint } from './identity/managed-identity.ts';
import { resourcesOf } from './identity/resources.ts';
import { prepareIdentity } from './identity/state.ts';

const port = z.number().int().min(0).max(65_535);
const options = z.object({
  /** Absolute path of the stack's state; the authority's own is in `identity/` there. */
  directory: z.string(),
  /** 0 stands for any free port. */
  ports: z.object({ authority: port, identity: port }),
  /** Absolute paths of the authority's certificate and its key, PEM files. */
  certificate: z.string(),
  key: z.string(),
  /** What clients of the managed-identity endpoint must know. */
  identityHeader: z.string().min(16),
  /** The same for Web PubSub, which has an identity of its own. */
  webPubSubHeader: z.string().min(16),
  /** Resources that are this app: tokens for them carry the roles. */
  audiences: z.array(z.string()),
});

/**
 * Stand-ins, as a child of the supervisor, for the two Azure services that say who somebody is: App Service's managed-identity endpoint
 * and Microsoft Entra.
 */
await runAsChild(() => startIdentity(childOptions(options)));

async function startIdentity(given: z.output<typeof options>): Promise<ChildService> {
  const { directory, ports, audiences, identityHeader, webPubSubHeader } = given;
  const { applications, signingKey } = await prepareIdentity(directory);
  const [cert, key] = await Promise.all([readFile(given.certificate), readFile(given.key)]);
  const findResource = resourcesOf(audiences);
  const now = () => new Date();

  const authority = await listen(
    () => createSecureServer({ cert, key }),
    { port: ports.authority, onIpv6: true },
    (chosen) =>
      authorityEndpoints({ issuer: { authority: urlOf(chosen), signingKey, now }, applications, findResource }),
  );
  const issuer = { authority: urlOf(authority.port), signingKey, now };
  const identity = await listen(createServer, { port: ports.identity }, () =>
    managedIdentityEndpoint({ issuer, identityHeader, webPubSubHeader, findResource }),
  );
  return {
    endpoints: {
      authority: issuer.authority,
      identity: `http://127.0.0.1:${identity.port}${MANAGED_IDENTITY_PATH}`,
    },
    async stop() {
      await Promise.all([authority.close(), identity.close()]);
    },
  };
}

function urlOf(authorityPort: number): string {
  return `https://localhost:${authorityPort}`;
}
