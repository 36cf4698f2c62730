import type { Task, TimerTask } from 'durable-functions';
import { driver, WAKE } from '#lib/durable';
import { testClock } from '../../support/records.ts';

type Winner = 'timer' | 'wake';
interface Activity {
  readonly task: Task;
  readonly name: string;
  readonly input: unknown;
}
interface Sleep {
  readonly any: Task;
  readonly timer: TimerTask;
  readonly wake: Task;
  readonly fireAt: Date;
}

/**
 * One instance of the driver, moved by hand as Durable Functions would: what it asked for stays open until the test completes it, a
 * wake-up waits in line while nobody waits for it, and a new execution finds those that were left over only where they are `carried`.
 */
export class DrivenInstance {
  readonly clock = testClock();
  /** What each execution asked for, in order. */
  readonly executions: string[][] = [];
  ended = false;
  #generator: Generator<Task, void, unknown> = (function* () {})();
  #activity: Activity | undefined;
  #sleep: Sleep | undefined;
  #timers: TimerTask[] = [];
  #wakes = 0;
  #continued = false;
  readonly #carried: boolean;
  readonly #input: unknown;

  constructor(input: unknown, { carried = true } = {}) {
    this.#input = input;
    this.#carried = carried;
    this.#execute();
  }

  /** The activity that is to be completed, if one is. */
  get pending(): { readonly name: string; readonly input: unknown } | undefined {
    return this.#activity && { name: this.#activity.name, input: this.#activity.input };
  }

  /** Until when it sleeps, if it does. */
  get sleepsUntil(): Date | undefined {
    return this.#sleep?.fireAt;
  }

  complete(result: unknown): void {
    const { task } = this.#take();
    Object.assign(task, { isCompleted: true, result });
    this.#resume(() => this.#generator.next(result));
  }

  fail(message = 'the activity failed'): void {
    const { task } = this.#take();
    Object.assign(task, { isCompleted: true, isFaulted: true });
    this.#resume(() => this.#generator.throw(new Error(message)));
  }

  /** Raises the event; one for an instance that is over changes nothing. */
  wake(): void {
    if (this.ended) return;
    this.#wakes += 1;
    this.#deliver();
  }

  /** Time passes until the timer fires. */
  fire(): void {
    if (this.#sleep === undefined) return;
    const seconds = (this.#sleep.fireAt.getTime() - this.clock.now().getTime()) / 1000;
    this.clock.advance(Math.max(0, seconds));
    this.#endSleep('timer');
  }

  #execute(): void {
    const asked: string[] = [];
    this.executions.push(asked);
    this.#timers = [];
    this.#continued = false;
    const open = (): Task => ({ isCompleted: false, isFaulted: false });
    const df = {
      currentUtcDateTime: this.clock.now(),
      Task: { any: (tasks: Task[]) => this.#any(tasks) },
      getInput: () => this.#input,
      callActivity: (name: string, input: unknown) => {
        asked.push(name);
        this.#activity = { task: open(), name, input };
        return this.#activity.task;
      },
      createTimer: (fireAt: Date) => {
        asked.push('timer');
        const cancel = () => {
          timer.isCanceled = true;
        };
        const timer: FiringTimer = { ...open(), isCanceled: false, fireAt, cancel };
        this.#timers.push(timer);
        return timer;
      },
      waitForExternalEvent: (name: string) => {
        asked.push(name);
        return open();
      },
      continueAsNew: () => {
        this.#continued = true;
      },
    };
    this.#generator = driver('next')({ df });
    this.#resume(() => this.#generator.next());
  }

  #any(tasks: Task[]): Task {
    const timer = this.#timers.at(-1);
    const wake = tasks.find((task) => task !== timer);
    if (timer === undefined || wake === undefined || !isFiring(timer)) throw new Error('not a sleep');
    const any: Task = { isCompleted: false, isFaulted: false };
    this.#sleep = { any, timer, wake, fireAt: timer.fireAt };
    return any;
  }

  #resume(step: () => IteratorResult<Task, void>): void {
    const { done, value } = step();
    if (!done) {
      if (value !== this.#activity?.task && value !== this.#sleep?.any) throw new Error('it waits for nothing');
      this.#deliver();
      return;
    }
    const open = this.#timers.filter(({ isCompleted, isCanceled }) => !isCompleted && !isCanceled);
    if (open.length > 0) throw new Error('an execution ended with a timer open: its end would wait for it');
    if (!this.#continued) {
      this.ended = true;
      return;
    }
    if (!this.#carried) this.#wakes = 0;
    this.#execute();
  }

  #deliver(): void {
    if (this.#sleep === undefined || this.#wakes === 0) return;
    this.#wakes -= 1;
    this.#endSleep('wake');
  }

  #endSleep(by: Winner): void {
    const sleep = this.#sleep;
    if (sleep === undefined) return;
    this.#sleep = undefined;
    const winner = sleep[by];
    winner.isCompleted = true;
    this.#resume(() => this.#generator.next(winner));
  }

  #take(): Activity {
    const activity = this.#activity;
    if (activity === undefined) throw new Error('no activity is open');
    this.#activity = undefined;
    return activity;
  }
}

interface FiringTimer extends TimerTask {
  readonly fireAt: Date;
}

function isFiring(timer: TimerTask): timer is FiringTimer {
  return 'fireAt' in timer;
}

/** What every execution may ask for, at most: constant, however long the instance lives. */
export const ONE_PASS = ['next', 'apply', 'timer', WAKE];
