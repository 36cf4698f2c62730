import { z } from 'zod';

/**
 * Web PubSub's event `connected`, a CloudEvent in binary mode: what it says is in its headers (contract 8). The characters of an id are
 * those that need no escape in a URL, so that a filter with many of them stays short.
 */
export const connectedEvent = z.object({
  'ce-specversion': z.literal('1.0'),
  'ce-type': z.literal(
    'azure.webpubsub.sys.connected',
    'must be azure.webpubsub.sys.connected: no other event is taken',
  ),
  'ce-hub': z.string().max(128),
  'ce-connectionId': z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be the id of a connection'),
  'ce-userId': z.string().max(1024).optional(),
  'ce-signature': z
    .string()
    .max(1024)
    .optional()
    .meta({ description: 'Required where Web PubSub is opened with its access key.' }),
});
export type ConnectedEvent = z.output<typeof connectedEvent>;

/** The body holds nothing. */
export const connectedBody = z.looseObject({}).optional();
