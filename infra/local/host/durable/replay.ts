import { type EventRaised, eventType, type HistoryEvent } from './history.ts';
import type { Action, OrchestratorResult, RetryOptions } from './orchestrator-result.ts';

/** Something the orchestrator newly asks for; `id` is its place in the order that both halves of Durable Functions count. */
export type Decision =
  | { readonly kind: 'activity'; readonly id: number; readonly name: string; readonly input: unknown }
  | { readonly kind: 'timer'; readonly id: number; readonly fireAt: number };

export type Outcome =
  | { readonly state: 'running' }
  | { readonly state: 'completed'; readonly output: unknown }
  | { readonly state: 'failed'; readonly error: string }
  | { readonly state: 'continued'; readonly input: unknown; readonly carried: readonly EventRaised[] };

export interface Replayed {
  readonly decisions: readonly Decision[];
  readonly outcome: Outcome;
}

/** durable-functions splits longer timers and counts them differently (maximumShortTimerDuration), in ms. */
const longestTimerMs = 6 * 86_400_000;

/**
 * Replays an orchestrator's actions against its history as the Durable Task Framework does, and tells what is new and whether the
 * instance is at its end. Pure: the same arguments, the same answer. The rules, from the framework's source:
 *
 * - ids count up from 0 over activities (each attempt), timers and retry timers, depth first; a wait for an event has none;
 * - an action starts when the one before it is settled, failed or not; `any` settles with its first, `all` with its last;
 * - a failed attempt is always followed by a timer, also the last one;
 * - a canceled timer is created, but is settled from the start: the action list knows only a timer's final state;
 * - events go to the latest waiter of their name, or wait in line; after continueAsNew they are carried into the next execution;
 * - an instance ends only when no activity and no timer is open.
 */
export function replay(history: readonly HistoryEvent[], result: OrchestratorResult): Replayed {
  const machine = new Machine(result);
  try {
    for (const event of history) machine.apply(event);
  } catch (error) {
    if (error instanceof ReplayRefusal) return { decisions: [], outcome: { state: 'failed', error: error.message } };
    throw error;
  }
  return { decisions: machine.newDecisions(), outcome: machine.outcome() };
}

class ReplayRefusal extends Error {}

class Machine {
  readonly #result: OrchestratorResult;
  readonly #decisions = new Map<number, Decision>();
  readonly #open = new Map<number, Task>();
  readonly #waiting = new Map<string, Task[]>();
  readonly #early = new Map<string, number>();
  readonly #carried: EventRaised[] = [];
  #continued: { readonly input: unknown } | undefined;
  #ended = false;
  #nextId = 0;
  #now = 0;

  constructor(result: OrchestratorResult) {
    this.#result = result;
  }

  apply(event: HistoryEvent): void {
    switch (event.EventType) {
      case eventType.orchestratorStarted:
        this.#now = Math.max(this.#now, Date.parse(event.Timestamp));
        break;
      case eventType.executionStarted:
        this.#runFrom(0);
        break;
      case eventType.taskScheduled:
        this.#confirm(event.EventId, 'activity', event.Name);
        break;
      case eventType.timerCreated:
        this.#confirm(event.EventId, 'timer', undefined);
        break;
      case eventType.taskCompleted:
        this.#close(event.TaskScheduledId, false);
        break;
      case eventType.taskFailed:
        this.#close(event.TaskScheduledId, true);
        break;
      case eventType.timerFired:
        this.#close(event.TimerId, false);
        break;
      case eventType.eventRaised:
        this.#raise(event);
        break;
      case eventType.orchestratorCompleted:
        break;
    }
  }

  newDecisions(): readonly Decision[] {
    return [...this.#decisions.values()];
  }

  outcome(): Outcome {
    if (!this.#ended || this.#open.size > 0) return { state: 'running' };
    const { error, isDone, output } = this.#result;
    if (error !== undefined) return { state: 'failed', error };
    if (this.#continued) return { state: 'continued', input: this.#continued.input, carried: this.#carried };
    return isDone ? { state: 'completed', output } : { state: 'running' };
  }

  #runFrom(index: number): void {
    const action = this.#result.actions[index];
    if (!action) {
      this.#ended = true;
      return;
    }
    this.#start(action).whenSettled(() => this.#runFrom(index + 1));
  }

  #start(action: Action): Task {
    switch (action.kind) {
      case 'activity':
        return action.retry ? this.#retried(action, action.retry) : this.#activity(action);
      case 'timer':
        return this.#timer(action.fireAt, action.canceled);
      case 'event':
        return this.#wait(action.name);
      case 'any':
        return settledBy(
          action.actions.map((each) => this.#start(each)),
          1,
        );
      case 'all':
        return settledBy(
          action.actions.map((each) => this.#start(each)),
          action.actions.length,
        );
      case 'continue-as-new':
        this.#continued = { input: action.input };
        return settledTask();
      case 'unsupported':
        throw new ReplayRefusal(`The embedded host does not serve ${action.what}.`);
    }
  }

  #activity(action: { readonly name: string; readonly input: unknown }): Task {
    const id = this.#nextId++;
    this.#decisions.set(id, { kind: 'activity', id, name: action.name, input: action.input });
    return this.#openTask(id);
  }

  #timer(fireAt: number, canceled: boolean): Task {
    if (fireAt - this.#now > longestTimerMs) {
      throw new ReplayRefusal('The embedded host does not serve timers of more than six days: sleep in shorter steps.');
    }
    const id = this.#nextId++;
    this.#decisions.set(id, { kind: 'timer', id, fireAt });
    return canceled ? settledTask() : this.#openTask(id);
  }

  #retried(action: { readonly name: string; readonly input: unknown }, retry: RetryOptions): Task {
    const whole = new Task();
    const attempt = (number: number): void => {
      const one = this.#activity(action);
      one.whenSettled(() => {
        if (!one.failed) return whole.settle(false);
        const last = number >= retry.maxNumberOfAttempts;
        const pause = this.#timer(this.#now + (last ? 0 : retryDelay(retry, number)), false);
        pause.whenSettled(() => (last ? whole.settle(true) : attempt(number + 1)));
      });
    };
    attempt(1);
    return whole;
  }

  #wait(name: string): Task {
    const early = this.#early.get(name) ?? 0;
    if (early > 0) {
      this.#early.set(name, early - 1);
      return settledTask();
    }
    const task = new Task();
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), task]);
    return task;
  }

  #raise(event: EventRaised): void {
    if (this.#continued) {
      this.#carried.push(event);
      return;
    }
    const waiter = this.#waiting.get(event.Name)?.pop();
    if (waiter) waiter.settle(false);
    else this.#early.set(event.Name, (this.#early.get(event.Name) ?? 0) + 1);
  }

  #openTask(id: number): Task {
    const task = new Task();
    this.#open.set(id, task);
    return task;
  }

  #close(id: number, failed: boolean): void {
    const task = this.#open.get(id);
    this.#open.delete(id);
    task?.settle(failed);
  }

  #confirm(id: number, kind: Decision['kind'], name: string | undefined): void {
    const decision = this.#decisions.get(id);
    const matches = decision?.kind === kind && (decision.kind === 'timer' || decision.name === name);
    if (!matches) {
      const past = kind === 'timer' ? 'a timer' : `activity "${name}"`;
      const now = decision ? (decision.kind === 'timer' ? 'a timer' : `activity "${decision.name}"`) : 'nothing';
      throw new ReplayRefusal(
        `Non-deterministic orchestrator: step ${id} was ${past} and is now ${now}. Was its code changed while it ran?`,
      );
    }
    this.#decisions.delete(id);
  }
}

/** A callback future: synchronous, so that order is what the history says and nothing else. */
class Task {
  failed = false;
  #settled = false;
  #listeners: (() => void)[] = [];

  settle(failed: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.failed = failed;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  whenSettled(listener: () => void): void {
    if (this.#settled) listener();
    else this.#listeners.push(listener);
  }
}

function settledTask(): Task {
  const task = new Task();
  task.settle(false);
  return task;
}

function settledBy(tasks: readonly Task[], needed: number): Task {
  const whole = new Task();
  let settled = 0;
  for (const task of tasks) {
    task.whenSettled(() => {
      settled += 1;
      if (settled === needed) whole.settle(tasks.some((each) => each.failed));
    });
  }
  return whole;
}

function retryDelay(retry: RetryOptions, attempt: number): number {
  const grown = retry.firstRetryIntervalInMilliseconds * (retry.backoffCoefficient ?? 1) ** (attempt - 1);
  return Math.min(grown, retry.maxRetryIntervalInMilliseconds ?? grown);
}
