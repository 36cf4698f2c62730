import { z } from 'zod';
import { conversionProgress } from './conversion-progress.ts';
import { instant } from './values.ts';

/**
 * One thing that happened to a pipeline, its conversion or its session, as live clients get it: CloudEvents 1.0 in JSON. `data.sequence`
 * numbers the events of one subject from 1 without a gap; one that is not larger than the last is a repeat.
 */
export const liveEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    source: z.string(),
    type: z.string().meta({ description: '`remoterendering.{pipeline|conversion|session}.{what happened}`.' }),
    subject: z.string().meta({ description: '`/pipelines/{id}`, `/conversions/{id}` or `/sessions/{id}`.' }),
    time: instant,
    datacontenttype: z.literal('application/json'),
    data: z.object({
      id: z.string(),
      /** The new state. */
      state: z.string(),
      sequence: z.int().nonnegative(),
      reason: z.string().optional(),
      evidence: z.string().optional(),
      /** Of a conversion: which phase has begun. */
      progress: conversionProgress.optional(),
    }),
  })
  .meta({ id: 'LiveEvent' });
export type LiveEvent = z.output<typeof liveEvent>;

/** What happened, as a record or a route tells of it. */
interface Happening extends Pick<LiveEvent['data'], 'state' | 'sequence' | 'progress'> {
  readonly at: string;
  readonly type: string;
  readonly reason?: string | null | undefined;
  readonly evidence?: string | null | undefined;
}

/** @param source who tells of it, as `/accounts/{id}` */
export function liveEventOf(
  source: string,
  kind: 'pipeline' | 'conversion' | 'session',
  id: string,
  { sequence, at, type, state, reason, evidence, progress }: Happening,
): LiveEvent {
  return {
    specversion: '1.0',
    id: `${kind}/${id}/${sequence}`,
    source,
    type: `remoterendering.${kind}.${type}`,
    subject: `/${kind}s/${id}`,
    time: at,
    datacontenttype: 'application/json',
    data: {
      id,
      state,
      sequence,
      ...(typeof reason === 'string' && { reason }),
      ...(typeof evidence === 'string' && { evidence }),
      ...(progress !== undefined && { progress }),
    },
  };
}
