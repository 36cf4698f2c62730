import { z } from 'zod';

/** What a session host says of itself. */
export const heartbeatBody = z
  .object({
    state: z.literal('ready'),
    hostname: z.string().max(253),
    ports: z.object({ inspector: z.int() }),
    connected: z.boolean().meta({ description: 'Whether a viewer is open.' }),
    asset: z
      .object({
        name: z.string(),
        state: z.enum(['loading', 'loaded', 'failed']),
        bytes: z.int().nonnegative().optional(),
        error: z.string().max(1000).optional(),
      })
      .nullable(),
  })
  .meta({ id: 'Heartbeat' });
export type HeartbeatBody = z.output<typeof heartbeatBody>;

/** What it is told: how long it may still run, in seconds, whether to stop, which asset to show, when to speak again. */
export const heartbeatAnswer = z
  .object({
    remainingSeconds: z.number().nullable(),
    stop: z.boolean(),
    asset: z.object({ name: z.string(), url: z.url() }).nullable(),
    nextSeconds: z.number(),
  })
  .meta({ id: 'HeartbeatAnswer' });
export type HeartbeatAnswer = z.output<typeof heartbeatAnswer>;
