import type { AssetOrder, HeartbeatAnswer, HeartbeatOutcome } from './heartbeat.ts';

/** Why a session host ends by its own decision. */
export type Ending = 'told_to_stop' | 'not_wanted' | 'lease_over' | 'silence';

/** What keeps a session host running. Every time is in milliseconds on one monotonic clock, that the caller reads. */
export interface Lifeline {
  readonly silenceMilliseconds: number;
  /** When the last heartbeat that was answered left; before the first one, the start. */
  readonly heardAt: number;
  /** Undefined while the lease does not run. */
  readonly leaseEndsAt: number | undefined;
  readonly nextHeartbeatAt: number;
}

/** The control plane stops a machine at the lease's end; only where it does not, the session host does, so much later. */
const LEASE_GRACE = 2_000;

export function startLifeline(silenceSeconds: number, now: number): Lifeline {
  return { silenceMilliseconds: silenceSeconds * 1000, heardAt: now, leaseEndsAt: undefined, nextHeartbeatAt: now };
}

/**
 * What a heartbeat's outcome changes. The lease and the silence count from the moment it left, not from the answer's arrival:
 * the control plane counted no later than that, and a machine must rather end too early than outlive its lease.
 */
export function afterHeartbeat(
  lifeline: Lifeline,
  outcome: HeartbeatOutcome,
  { sentAt, now, assetLoaded }: { readonly sentAt: number; readonly now: number; readonly assetLoaded: boolean },
): Lifeline | Ending {
  if (outcome.type === 'unwanted') return 'not_wanted';
  if (outcome.type === 'unanswered') {
    return { ...lifeline, nextHeartbeatAt: beforeEnd(lifeline.leaseEndsAt, now, now + (assetLoaded ? 5_000 : 1_000)) };
  }
  const { answer } = outcome;
  if (answer.stop) return 'told_to_stop';
  const leaseEndsAt = leaseEndOf(answer, lifeline, sentAt);
  const nextHeartbeatAt = beforeEnd(leaseEndsAt, sentAt, sentAt + pause(answer, lifeline));
  return { ...lifeline, heardAt: sentAt, leaseEndsAt, nextHeartbeatAt };
}

/** The ending that is due now, if any. */
export function endingAt(lifeline: Lifeline, now: number): Ending | undefined {
  if (lifeline.leaseEndsAt !== undefined && now >= lifeline.leaseEndsAt + LEASE_GRACE) return 'lease_over';
  return now >= lifeline.heardAt + lifeline.silenceMilliseconds ? 'silence' : undefined;
}

/** When an ending is due, as far as is known: nothing may be waited for beyond it. */
export function endsAt({ leaseEndsAt, heardAt, silenceMilliseconds }: Lifeline): number {
  return Math.min((leaseEndsAt ?? Number.POSITIVE_INFINITY) + LEASE_GRACE, heardAt + silenceMilliseconds);
}

/** What is left of the lease, in seconds, never below zero; null while it does not run. */
export function remainingSeconds({ leaseEndsAt }: Lifeline, now: number): number | null {
  return leaseEndsAt === undefined ? null : Math.max(0, (leaseEndsAt - now) / 1000);
}

/**
 * Whether an order is for another asset than the present one. The URL's query does not count: it is a signature that is made
 * anew for each answer, and an asset that failed to load would be loaded for ever.
 */
export function isAnotherAsset(present: AssetOrder | undefined, order: AssetOrder): boolean {
  return present === undefined || present.name !== order.name || withoutQuery(present.url) !== withoutQuery(order.url);
}

/** Never so often that it floods the control plane, nor so seldom that a single lost one is taken for silence. */
function pause({ nextSeconds }: HeartbeatAnswer, { silenceMilliseconds }: Lifeline): number {
  return Math.min(Math.max(nextSeconds * 1000, 200), silenceMilliseconds / 3);
}

/** A lease that is over says "0 left" at every heartbeat; its end does not move with them. */
function leaseEndOf({ remainingSeconds: left }: HeartbeatAnswer, { leaseEndsAt }: Lifeline, sentAt: number) {
  if (left === null) return undefined;
  return left > 0 ? sentAt + left * 1000 : Math.min(sentAt, leaseEndsAt ?? sentAt);
}

/** The lease may have been renewed meanwhile: the app is asked once more at its end, before a machine ends itself for it. */
function beforeEnd(leaseEndsAt: number | undefined, now: number, planned: number): number {
  return leaseEndsAt === undefined ? planned : Math.min(planned, Math.max(leaseEndsAt, now + 200));
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
