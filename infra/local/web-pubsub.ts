import { z } from 'zod';
import { type ChildService, childOptions, runAsChild } from './child.ts';
import { eventHandlerSettings } from './web-pubsub/event-handlers.ts';
import { startWebPubSub } from './web-pubsub/service.ts';

const options = z.object({
  /** 0 stands for any free port. */
  port: z.number().int().min(0).max(65_535),
  /** Absolute paths of the server's certificate and its key, PEM files. */
  certificate: z.string(),
  key: z.string(),
  /** Whose tokens are accepted: base URL of an authority like Microsoft Entra, and one of its tenants. */
  authority: z.url().transform((url) => url.replace(/\/$/, '')),
  tenantId: z.string(),
  /** By the claim `oid`: names of built-in roles, or data actions. Who is not named may do nothing. */
  roles: z.record(z.string(), z.array(z.string())),
  /** Local authentication is off without them. Secret. */
  accessKeys: z.array(z.string().min(1)).max(2).default([]),
  eventHandlers: z.array(eventHandlerSettings).default([]),
  /** Where tokens of its own identity are had, for handlers that want one, and what must be shown there. */
  identityEndpoint: z.url().optional(),
  identityHeader: z.string().optional(),
});

/** A stand-in for Azure Web PubSub, as a child of the supervisor. */
await runAsChild(() => start(childOptions(options)));

async function start(given: z.output<typeof options>): Promise<ChildService> {
  const service = await startWebPubSub({ ...given, identity: identityOf(given), now: () => new Date() });
  return { endpoints: { webPubSub: service.endpoint }, stop: () => service.close() };
}

function identityOf({ identityEndpoint: endpoint, identityHeader: header }: z.output<typeof options>) {
  return endpoint === undefined || header === undefined ? undefined : { endpoint, header };
}
