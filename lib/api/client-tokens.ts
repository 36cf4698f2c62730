import { z } from 'zod';
import { pipelineId } from './pipelines.ts';
import { instant } from './values.ts';

const MAX_MINUTES = 1440;
/** Each group of a pipeline makes the token longer, which travels in a URL. */
const MAX_PIPELINES = 10;
const MAX_ROLES = 2 * MAX_PIPELINES;
const MAX_ROLE_LENGTH = 200;

const minutes = z.int().min(1).max(MAX_MINUTES);
const roles = z
  .array(z.string().min(1).max(MAX_ROLE_LENGTH))
  .max(MAX_ROLES)
  .transform((given) => [...new Set(given)])
  .meta({ description: 'As `webpubsub.joinLeaveGroup.{group}`; no other role is given.' });

/** The body of `POST /api/tokens/client`, which may be left out. The user is the caller: a body names none. */
export const clientTokenBody = z
  .strictObject({
    minutes: minutes.optional().meta({
      description:
        'How long a client may connect with it: 1 to CLIENT_TOKEN_MAX_MINUTES; 60, or that, where it is left out.',
    }),
    pipelines: z
      .array(pipelineId)
      .max(MAX_PIPELINES)
      .transform((given) => [...new Set(given)])
      .optional()
      .meta({ description: 'Pipelines whose groups to be in from the start.' }),
    roles: roles.optional(),
  })
  .default({});
export type ClientTokenBody = z.output<typeof clientTokenBody>;

/** A Web PubSub client token: connect to `url` with a WebSocket. */
export const clientTokenAnswer = z
  .object({
    url: z.string(),
    baseUrl: z.string().meta({ description: '`url` without the token.' }),
    token: z.string(),
    expiresOn: instant,
    hub: z.string(),
    userId: z.string(),
    roles: z.array(z.string()),
    groups: z.array(z.string()).meta({ description: 'The groups that the connection is in from its start.' }),
  })
  .meta({ id: 'ClientToken' });
export type ClientTokenAnswer = z.output<typeof clientTokenAnswer>;

/** The same question in the shape of the Web PubSub AAD design spec. Repeated keys reach an app joined with commas. */
export const clientTokenQuery = z.strictObject({
  hub: z.string().optional().meta({ description: 'The hub of this suite, where one is named.' }),
  userId: z.string().optional().meta({ description: "The caller's own object id, where one is named." }),
  roles: z
    .string()
    .transform((given) => given.split(',').map((role) => role.trim()))
    .pipe(roles)
    .optional()
    .meta({ description: 'Repeated, or with commas between them.' }),
  ttl: z
    .string()
    .regex(/^\d{1,4}$/, 'must be whole minutes')
    .transform(Number)
    .pipe(minutes)
    .optional()
    .meta({ description: 'In minutes.' }),
});
export type ClientTokenQuery = z.output<typeof clientTokenQuery>;

/** With that capital. */
export const accessTokenAnswer = z.object({ AccessToken: z.string() });
