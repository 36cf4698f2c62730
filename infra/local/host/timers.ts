import type { TimerFunction } from './function-index.ts';
import { messageOf } from './host-error.ts';
import type { HostLog } from './host-log.ts';
import type { Invoker } from './invoker.ts';
import { nextOccurrence } from './ncrontab.ts';

/** When a timer last ran and was then due next; times in ms since 1970. */
export interface TimerStatus {
  readonly last: number | null;
  readonly next: number;
  readonly updated: number;
}

/** Where the statuses survive a restart. */
export interface TimerStatuses {
  read(name: string): TimerStatus | undefined;
  write(name: string, status: TimerStatus): void;
}

/** The longest delay that setTimeout takes, in ms. */
const longestDelay = 2 ** 31 - 1;

/**
 * Runs the timer functions on their schedules until `stop`. One timer's runs never overlap: the next occurrence is counted from the end
 * of a run. A monitored timer that missed an occurrence while the host was down runs at once, with isPastDue.
 */
export function startTimers(
  timers: readonly TimerFunction[],
  parts: {
    readonly invoker: Invoker;
    readonly statuses: TimerStatuses;
    readonly log: HostLog;
    readonly now: () => number;
  },
): { stop(): void } {
  const stops = timers.map((timer) => startTimer(timer, parts));
  return {
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

function startTimer(timer: TimerFunction, parts: Parameters<typeof startTimers>[1]): () => void {
  const { invoker, statuses, log, now } = parts;
  let waiting: NodeJS.Timeout | undefined;
  let stopped = false;

  /** A status that cannot be kept, as on a full disk, costs at most one notice of an occurrence missed; the timer goes on. */
  const keep = (status: TimerStatus): void => {
    try {
      statuses.write(timer.name, status);
    } catch (error) {
      log('error', timer.name, `The status of the timer could not be kept: ${messageOf(error)}`);
    }
  };
  const arm = (next: number): void => {
    if (stopped) return;
    waiting = setTimeout(() => (now() >= next ? void run(false) : arm(next)), clamp(next - now()));
  };
  const run = async (isPastDue: boolean): Promise<void> => {
    const before = statuses.read(timer.name);
    const started = now();
    try {
      await invoker.invoke(timer, { json: JSON.stringify(timerInfo(before, started, isPastDue)) });
    } catch (error) {
      log('error', timer.name, error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
    }
    if (stopped) return;
    const next = following(timer, now());
    keep({ last: started, next, updated: now() });
    arm(next);
  };

  const status = statuses.read(timer.name);
  const missed = timer.monitored && status !== undefined && following(timer, status.updated) < now();
  if (missed || timer.runOnStartup) {
    void run(missed);
  } else {
    const next = following(timer, now());
    keep({ last: status?.last ?? null, next, updated: now() });
    arm(next);
  }
  return () => {
    stopped = true;
    clearTimeout(waiting);
  };
}

function following(timer: TimerFunction, after: number): number {
  const next = nextOccurrence(timer.schedule, after);
  if (next === undefined)
    throw new Error(`Schedule "${timer.schedule.text}" of timer "${timer.name}" never occurs again.`);
  return next;
}

/** The extension's payload; the library gives the handler its keys in camel case. */
function timerInfo(status: TimerStatus | undefined, now: number, isPastDue: boolean): unknown {
  const iso = (time: number) => new Date(time).toISOString();
  return {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: {
      // .NET's default date, as the extension sends it before the first run.
      Last: status?.last == null ? '0001-01-01T00:00:00' : iso(status.last),
      Next: iso(status?.next ?? now),
      LastUpdated: iso(status?.updated ?? now),
    },
    IsPastDue: isPastDue,
  };
}

function clamp(delay: number): number {
  return Math.min(Math.max(delay, 0), longestDelay);
}
