import type { Task, TimerTask } from 'durable-functions';
import { z } from 'zod';
import { WAKE } from './orchestrations.ts';

/** After a pass that failed the record is read again so much later: never at once, never given up while a machine may run. */
const RETRY_SECONDS = 5;
/** Durable Functions has no timers beyond six days; a longer sleep is taken in parts. */
const LONGEST_SLEEP_SECONDS = 6 * 24 * 3600;

/** What the first activity of a pass answers: the step that the record's state names, or null where the record is terminal. */
export interface NextStep {
  readonly step: string | null;
}

/** What a step answers: when the record is to be read again, ISO 8601 in UTC; a time that has passed means at once. */
export interface StepDone {
  readonly wakeAt: string;
}

/** What the driver uses of an orchestration's context. */
interface DriverContext {
  readonly df: {
    readonly currentUtcDateTime: Date;
    readonly Task: { any(tasks: Task[]): Task };
    getInput(): unknown;
    callActivity(name: string, input: unknown): Task;
    createTimer(fireAt: Date): TimerTask;
    waitForExternalEvent(name: string): Task;
    continueAsNew(input: unknown): void;
  };
}

const nextStep = z.object({ step: z.string().nullable() });
const stepDone = z.object({ wakeAt: z.iso.datetime() });

/**
 * The one orchestrator behind every kind of record. An execution is one pass: read the record, run the one step that it names, sleep
 * once, start over. Nothing but the id is carried along, so that the history stays constant however long a lease runs.
 *
 * The sleep is the only `Task.any` of an execution and its last act: a wake-up that comes earlier is buffered and ends it at once, one
 * that comes later is either carried over or was preceded by its write to the record, which the next pass reads.
 * @param nextActivity name of the activity that reads the record and answers with NextStep
 */
export function driver(nextActivity: string) {
  return function* drive({ df }: DriverContext): Generator<Task, void, unknown> {
    const input = df.getInput();
    let wakeAt: Date;
    try {
      const { step } = nextStep.parse(yield df.callActivity(nextActivity, input));
      if (step === null) return;
      wakeAt = new Date(stepDone.parse(yield df.callActivity(step, input)).wakeAt);
    } catch {
      wakeAt = secondsAfter(df.currentUtcDateTime, RETRY_SECONDS);
    }
    const longest = secondsAfter(df.currentUtcDateTime, LONGEST_SLEEP_SECONDS);
    const timer = df.createTimer(wakeAt < longest ? wakeAt : longest);
    const wake = df.waitForExternalEvent(WAKE);
    if ((yield df.Task.any([wake, timer])) === wake) timer.cancel();
    df.continueAsNew(input);
  };
}

function secondsAfter(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
