import { describe, expect, test } from 'vitest';
import { eventType, type HistoryEvent } from '../../../infra/local/host/durable/history.ts';
import type { Action, OrchestratorResult } from '../../../infra/local/host/durable/orchestrator-result.ts';
import { replay } from '../../../infra/local/host/durable/replay.ts';

const epoch = Date.parse('2026-01-01T00:00:00.000Z');
const at = (ms: number) => new Date(epoch + ms).toISOString();
const message = { EventId: -1, Timestamp: at(0) };

const began = (ms = 0): HistoryEvent => ({ EventType: eventType.orchestratorStarted, EventId: -1, Timestamp: at(ms) });
const started: HistoryEvent = {
  ...message,
  EventType: eventType.executionStarted,
  OrchestrationInstance: { InstanceId: 'i', ExecutionId: 'e' },
  ParentInstance: null,
  Name: 'o',
  Version: '',
  Input: null,
  Tags: null,
};
const scheduled = (id: number, name = 'a'): HistoryEvent => {
  return {
    EventType: eventType.taskScheduled,
    EventId: id,
    Timestamp: at(0),
    Name: name,
    Version: '',
    Input: '[null]',
  };
};
const completed = (id: number): HistoryEvent => {
  return { ...message, EventType: eventType.taskCompleted, TaskScheduledId: id, Result: 'null' };
};
const failed = (id: number): HistoryEvent => {
  return { ...message, EventType: eventType.taskFailed, TaskScheduledId: id, Reason: 'why', Details: '' };
};
const timerCreated = (id: number): HistoryEvent => {
  return { EventType: eventType.timerCreated, EventId: id, Timestamp: at(0), FireAt: at(100) };
};
const timerFired = (id: number): HistoryEvent => {
  return { ...message, EventType: eventType.timerFired, TimerId: id, FireAt: at(100) };
};
const raised = (name = 'go') => ({ ...message, EventType: eventType.eventRaised, Name: name, Input: '1' }) as const;

const activity = (name = 'a'): Action => ({ kind: 'activity', name, input: 1 });
const retried = (attempts: number, max?: number): Action => ({
  kind: 'activity',
  name: 'a',
  input: 1,
  retry: {
    firstRetryIntervalInMilliseconds: 10,
    maxNumberOfAttempts: attempts,
    backoffCoefficient: 3,
    maxRetryIntervalInMilliseconds: max,
  },
});
const timer = (canceled = false): Action => ({ kind: 'timer', fireAt: epoch + 100, canceled });
const event: Action = { kind: 'event', name: 'go' };
const any = (...actions: Action[]): Action => ({ kind: 'any', actions });
const all = (...actions: Action[]): Action => ({ kind: 'all', actions });
const again: Action = { kind: 'continue-as-new', input: { n: 1 } };

const going = (...actions: Action[]): OrchestratorResult => ({ isDone: false, actions });
const done = (...actions: Action[]): OrchestratorResult => ({ isDone: true, actions, output: 'out' });
const broken = (...actions: Action[]): OrchestratorResult => ({ isDone: false, actions, error: 'oh' });

const callA = (id: number, name = 'a') => ({ kind: 'activity', id, name, input: 1 });
const sleep = (id: number, fireAt: number) => ({ kind: 'timer', id, fireAt: epoch + fireAt });

const running = { state: 'running' };
const completedOut = { state: 'completed', output: 'out' };
const head = [began(), started];

describe('what is new', () => {
  test.each([
    ['the first activity', head, going(activity()), [callA(0)]],
    ['nothing while it runs', [...head, scheduled(0)], going(activity()), []],
    [
      'the second after the first',
      [...head, scheduled(0), completed(0)],
      going(activity(), activity('b')),
      [callA(1, 'b')],
    ],
    ['the second after a failure, too', [...head, scheduled(0), failed(0)], going(activity(), activity()), [callA(1)]],
    [
      'all children at once, depth first',
      head,
      going(all(activity(), any(timer(), event), activity('b'))),
      [callA(0), sleep(1, 100), callA(2, 'b')],
    ],
    [
      'nothing after `all` while one is open',
      [...head, scheduled(0), scheduled(1), failed(0)],
      going(all(activity(), activity()), timer()),
      [],
    ],
    [
      'what follows `any` after its first',
      [...head, scheduled(0), timerCreated(1), timerFired(1)],
      going(any(activity(), timer()), activity('b')),
      [callA(2, 'b')],
    ],
    [
      'a timer after a failed attempt',
      [...head, scheduled(0), began(50), failed(0)],
      going(retried(2)),
      [sleep(1, 60)],
    ],
    [
      'a longer one after the second failure',
      [...head, scheduled(0), failed(0), timerCreated(1), timerFired(1), scheduled(2), failed(2)],
      going(retried(3)),
      [sleep(3, 30)],
    ],
    [
      'but never longer than the limit',
      [...head, scheduled(0), failed(0), timerCreated(1), timerFired(1), scheduled(2), failed(2)],
      going(retried(3, 20)),
      [sleep(3, 20)],
    ],
    ['a timer at once after the last attempt', [...head, scheduled(0), failed(0)], going(retried(1)), [sleep(1, 0)]],
    [
      'the next attempt after the timer',
      [...head, scheduled(0), failed(0), timerCreated(1), timerFired(1)],
      going(retried(2)),
      [callA(2)],
    ],
    [
      'a canceled timer is created all the same',
      [...head, raised()],
      going(any(event, timer(true)), activity()),
      [sleep(0, 100), callA(1)],
    ],
  ])('%s', (_, history, result, decisions) => {
    expect(replay(history, result)).toEqual({ decisions, outcome: running });
  });
});

describe('the outcome', () => {
  test.each([
    ['nothing to wait for: completed', head, done(), completedOut],
    ['its last activity done: completed', [...head, scheduled(0), completed(0)], done(activity()), completedOut],
    [
      'an early event is kept for its waiter',
      [...head, scheduled(0), raised(), completed(0)],
      done(activity(), event),
      completedOut,
    ],
    ['an event of another name is not', [...head, raised('stop')], going(event), running],
    [
      'the loser of a race still open: running',
      [...head, timerCreated(0), raised()],
      done(any(event, timer())),
      running,
    ],
    [
      'and completed when it fires',
      [...head, timerCreated(0), raised(), timerFired(0)],
      done(any(event, timer())),
      completedOut,
    ],
    [
      'a canceled loser does not delay',
      [...head, timerCreated(0), raised()],
      done(any(event, timer(true))),
      completedOut,
    ],
    ['thrown: failed', [...head, scheduled(0), failed(0)], broken(activity()), { state: 'failed', error: 'oh' }],
    ['thrown with an open timer: running', [...head, timerCreated(0), raised()], broken(any(event, timer())), running],
    [
      'continued as new',
      [...head, timerCreated(0), timerFired(0)],
      done(timer(), again),
      { state: 'continued', input: { n: 1 }, carried: [] },
    ],
    ['a message for an unknown task is ignored', [...head, completed(7), timerFired(8)], done(), completedOut],
  ])('%s', (_, history, result, outcome) => {
    expect(replay(history, result).outcome).toEqual(outcome);
  });

  test('an event after continueAsNew is carried into the next execution, one before it is not', () => {
    const history = [...head, scheduled(0), raised('early'), completed(0), timerCreated(1), timerFired(1), raised()];
    const { outcome } = replay(history, done(activity(), any(event, timer()), again));
    expect(outcome).toEqual({ state: 'continued', input: { n: 1 }, carried: [raised()] });
  });

  test('the event that won against a canceled timer is carried too: the canceled timer settles the race from the start', () => {
    const { outcome } = replay([...head, timerCreated(0), raised()], done(any(event, timer(true)), again));
    expect(outcome).toEqual({ state: 'continued', input: { n: 1 }, carried: [raised()] });
  });

  test.each([
    [
      'another activity than before',
      [...head, scheduled(0, 'b')],
      going(activity()),
      'step 0 was activity "b" and is now activity "a"',
    ],
    [
      'a timer instead of an activity',
      [...head, scheduled(0)],
      going(timer()),
      'step 0 was activity "a" and is now a timer',
    ],
    ['nothing instead of a timer', [...head, timerCreated(0)], going(event), 'step 0 was a timer and is now nothing'],
    [
      'a timer of more than six days',
      head,
      going({ kind: 'timer', fireAt: epoch + 6 * 86_400_000 + 1, canceled: false }),
      'more than six days',
    ],
    ['something that is not served', head, going({ kind: 'unsupported', what: 'entities' }), 'does not serve entities'],
  ])('%s fails the instance', (_, history, result, error) => {
    expect(replay(history, result)).toEqual({
      decisions: [],
      outcome: { state: 'failed', error: expect.stringContaining(error) },
    });
  });
});
