import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at } from '../../support/records.ts';
import { DrivenInstance, ONE_PASS } from './driven-instance.ts';

const input = { id: 'a-record' };
const started = () => new DrivenInstance(input);

/** An instance that has read its record, run its step, and sleeps for so many seconds. */
function asleep(seconds = 60): DrivenInstance {
  const instance = started();
  instance.complete({ step: 'apply' });
  instance.complete({ wakeAt: at(seconds).toISOString() });
  return instance;
}

describe('one pass', () => {
  test('reads the record, runs the step that it names, and sleeps until the step says', () => {
    const instance = started();
    expect(instance.pending).toEqual({ name: 'next', input });
    instance.complete({ step: 'apply' });
    expect(instance.pending).toEqual({ name: 'apply', input });
    instance.complete({ wakeAt: at(60).toISOString() });
    expect(instance.pending).toBeUndefined();
    expect(instance.sleepsUntil).toEqual(at(60));
  });

  test('is followed by another when the timer fires, with the same input', () => {
    const instance = asleep();
    instance.fire();
    expect(instance.pending).toEqual({ name: 'next', input });
    expect(instance.executions).toEqual([ONE_PASS, ['next']]);
  });

  test('is followed by another at once when it is woken, and leaves no timer open', () => {
    const instance = asleep();
    instance.wake();
    expect(instance.clock.now()).toEqual(at(0));
    expect(instance.pending).toEqual({ name: 'next', input });
  });

  test('does not sleep where a wake-up came while it ran', () => {
    const instance = started();
    instance.wake();
    instance.complete({ step: 'apply' });
    instance.complete({ wakeAt: at(60).toISOString() });
    expect(instance.sleepsUntil).toBeUndefined();
    expect(instance.executions).toHaveLength(2);
  });

  test('sleeps no longer than Durable Functions has timers for', () => {
    expect(asleep(30 * 86_400).sleepsUntil).toEqual(at(6 * 86_400));
  });

  test('takes a time that has passed as it is: at once', () => {
    expect(asleep(-1).sleepsUntil).toEqual(at(-1));
  });
});

describe('the end', () => {
  test('comes with a record that is terminal, or that is not there: both name no step', () => {
    const instance = started();
    instance.complete({ step: null });
    expect(instance.ended).toBe(true);
    expect(instance.executions).toEqual([['next']]);
  });

  test('is not undone by a late wake-up', () => {
    const instance = started();
    instance.complete({ step: null });
    instance.wake();
    expect(instance.executions).toHaveLength(1);
  });
});

describe('a pass that fails', () => {
  test.each<[string, (instance: DrivenInstance) => void]>([
    ['the record cannot be read', (instance) => instance.fail()],
    ['the answer to the reading is none', (instance) => instance.complete('soon')],
    ['the answer to the reading is nothing', (instance) => instance.complete(null)],
    [
      'the step fails',
      (instance) => {
        instance.complete({ step: 'apply' });
        instance.fail();
      },
    ],
    [
      'the step answers with no time',
      (instance) => {
        instance.complete({ step: 'apply' });
        instance.complete({ wakeAt: 'later' });
      },
    ],
  ])('where %s is tried again after five seconds', (_, spoil) => {
    const instance = started();
    spoil(instance);
    expect(instance.ended).toBe(false);
    expect(instance.sleepsUntil).toEqual(at(5));
    instance.fire();
    expect(instance.pending?.name).toBe('next');
  });

  test('is tried again at once when it is woken', () => {
    const instance = started();
    instance.fail();
    instance.wake();
    expect(instance.pending?.name).toBe('next');
  });

  test('a thousand times in a row never ends the instance', () => {
    const instance = started();
    for (let time = 0; time < 1000; time += 1) {
      instance.fail();
      instance.fire();
    }
    expect(instance.pending?.name).toBe('next');
  });
});

describe('whatever the order of writes, wake-ups, timers and new executions', () => {
  /** What may happen next. A writer writes first and wakes then; where it dies in between, its wake-up is lost. */
  const happenings = ['write', 'wake', 'die', 'complete', 'fail', 'fire', 'stray wake'] as const;
  type Happening = (typeof happenings)[number];

  /** A record beside its instance; the step's own write is by compare-and-set, so that it sees the latest. */
  class Driven {
    readonly instance: DrivenInstance;
    wanted = 0;
    applied = 0;
    owed = 0;
    lost = false;
    failed = false;

    constructor(carried: boolean) {
      this.instance = new DrivenInstance(input, { carried });
    }

    readonly happen: Readonly<Record<Happening, () => void>> = {
      write: () => {
        this.wanted += 1;
        this.owed += 1;
      },
      wake: () => {
        if (this.owed > 0) this.instance.wake();
        this.owed = Math.max(0, this.owed - 1);
      },
      die: () => {
        this.lost ||= this.owed > 0;
        this.owed = Math.max(0, this.owed - 1);
      },
      'stray wake': () => this.instance.wake(),
      complete: () => this.complete(),
      fail: () => {
        if (this.instance.pending === undefined) return;
        this.failed = true;
        this.instance.fail();
      },
      fire: () => this.instance.fire(),
    };

    complete(): void {
      const { pending, clock } = this.instance;
      if (pending?.name === 'next') this.instance.complete({ step: 'apply' });
      if (pending?.name !== 'apply') return;
      this.applied = this.wanted;
      this.failed = false;
      this.instance.complete({ wakeAt: new Date(clock.now().getTime() + 3_600_000).toISOString() });
    }

    /** Every writer that lives wakes, every activity succeeds; the timer alone ends a pass that failed, and no other. */
    settle(): void {
      while (this.owed > 0) this.happen.wake();
      for (let turn = 0; turn < 200 && (this.instance.pending !== undefined || this.failed); turn += 1) {
        if (this.instance.pending === undefined) this.instance.fire();
        this.complete();
      }
    }
  }

  test('no write of the record is missed, and only a writer that died has to wait for the timer', () => {
    const orders = fc.array(fc.constantFrom(...happenings), { maxLength: 60 });
    fc.assert(
      fc.property(orders, fc.boolean(), (order, carried) => {
        const driven = new Driven(carried);
        for (const what of order) driven.happen[what]();
        driven.settle();
        if (!driven.lost) expect(driven.applied).toBe(driven.wanted);
        driven.instance.fire();
        driven.settle();
        expect(driven.applied).toBe(driven.wanted);
        for (const asked of driven.instance.executions) expect(ONE_PASS).toEqual(expect.arrayContaining(asked));
        expect(Math.max(...driven.instance.executions.map((asked) => asked.length))).toBeLessThanOrEqual(4);
      }),
      { numRuns: 1000 },
    );
  });
});
