import { z } from 'zod';
import { instant } from './record.ts';

const stopped = [
  'user_stop',
  'admin_stop',
  'lease_expired',
  'hard_cap',
  'never_connected',
  'idle',
  'reconnect_timeout',
  'revoked',
  'budget',
  'app_exit',
] as const;
const failed = [
  'missing_files',
  'input_refused',
  'limit',
  'conversion_failed',
  'start_timeout',
  'capacity',
  'quota',
  'host_lost',
  'provider_error',
  'orphan_reclaimed',
  'internal_error',
] as const;

/** Why a pipeline or session ended. Each reason belongs to exactly one terminal state. */
export const reason = z.enum([...stopped, 'completed', ...failed]);
export type Reason = z.output<typeof reason>;

const stoppedReasons: ReadonlySet<string> = new Set(stopped);

/** The terminal state that a reason belongs to. */
export function terminalStateOf(why: Reason): 'stopped' | 'converted' | 'failed' {
  if (why === 'completed') return 'converted';
  return stoppedReasons.has(why) ? 'stopped' : 'failed';
}

/** Why and since when a record is ending or has ended, with what was seen that says so. */
export const ending = z.object({ reason, evidence: z.string(), at: instant });
export type Ending = z.output<typeof ending>;

/** The wish that a record's process stops, written before anybody is woken for it. */
export const desired = z.object({ state: z.literal('stopped'), reason, evidence: z.string(), at: instant });
