import { z } from 'zod';
import { heartbeatBody } from '#lib/api';
import { desired, ending } from './reason.ts';
import { instant, type RecordDefinition, recordBase } from './record.ts';

/**
 * The lease of a session: the only authority on how long its machine may run. The clock starts at Ready; `maxLeaseSeconds` is the
 * total from then on, and `revision` (the lease's ETag) grows with each renewal.
 */
export const lease = z.object({
  revision: z.int().positive(),
  maxLeaseSeconds: z.int().positive(),
  hardCapSeconds: z.int().positive(),
  startedAt: instant.optional(),
  expiresAt: instant.optional(),
  hardCapAt: instant.optional(),
});
export type Lease = z.output<typeof lease>;

const ports = z.object({ inspector: z.int() });

const common = recordBase.extend({
  size: z.enum(['Standard', 'Premium']),
  /** The total that the session was created with: what tells the same creation from another. */
  requestedLeaseSeconds: z.int().positive(),
  lease,
  /** When a session that is not Ready has taken too long. */
  startBy: instant,
  desired: desired.optional(),
  /** The last warning that was given: of which end of the lease, and how many seconds before it. */
  warned: z.object({ expiresAt: instant, seconds: z.int().positive() }).optional(),
  /** The machine that was asked for; `secretHash` is the SHA-256 of its heartbeat secret in hex. */
  machine: z
    .object({
      name: z.string(),
      secretHash: z.string(),
      /** False until the provider has taken the order: then, and only then, a machine that is not there is lost. */
      accepted: z.boolean(),
      startedAt: instant,
      stoppedAt: instant.optional(),
      hostname: z.string().optional(),
      ports: ports.optional(),
    })
    .optional(),
  asset: z.object({ container: z.string(), blob: z.string() }).optional(),
  /** What its session host said last of an asset that is loaded and that a viewer could not open. */
  assetProblem: z.string().optional(),
});

const schema = z.discriminatedUnion('state', [
  common.extend({ state: z.enum(['starting', 'ready']) }),
  common.extend({ state: z.enum(['stopping', 'stopped', 'failed']), ending }),
]);

export type SessionRecord = z.output<typeof schema>;

export const sessionDefinition: RecordDefinition<SessionRecord> = {
  kind: 'session',
  schema,
  rank: { starting: 1, ready: 2, stopping: 3, stopped: 4, failed: 4 },
  isTerminal: (record) => record.state === 'stopped' || record.state === 'failed',
};

/** What a session host last said of itself. Kept beside the record: it is overwritten, never an event, decides no compare-and-set. */
export const heartbeat = heartbeatBody.omit({ state: true }).extend({ at: instant });
export type Heartbeat = z.output<typeof heartbeat>;
