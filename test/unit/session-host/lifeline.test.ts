import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatAnswer, HeartbeatOutcome } from '../../../infra/session-host/heartbeat.ts';
import {
  afterHeartbeat,
  type Ending,
  endingAt,
  endsAt,
  isAnotherAsset,
  type Lifeline,
  remainingSeconds,
  startLifeline,
} from '../../../infra/session-host/lifeline.ts';

const calm: HeartbeatAnswer = { remainingSeconds: null, stop: false, asset: null, nextSeconds: 5 };
const answered = (answer: Partial<HeartbeatAnswer> = {}): HeartbeatOutcome => ({
  type: 'answered',
  answer: { ...calm, ...answer },
});
const unanswered: HeartbeatOutcome = { type: 'unanswered', problem: 'HTTP 503' };

function answeredBy(lifeline: Lifeline, outcome: HeartbeatOutcome, sentAt: number, assetLoaded = false): Lifeline {
  const next = afterHeartbeat(lifeline, outcome, { sentAt, now: sentAt + 100, assetLoaded });
  if (typeof next === 'string') throw new Error(`It ended: ${next}`);
  return next;
}

describe('a lifeline', () => {
  it('asks for the first heartbeat at once, and ends by silence if none is ever answered', () => {
    const lifeline = startLifeline(60, 1_000);
    expect(lifeline.nextHeartbeatAt).toBe(1_000);
    expect(endingAt(lifeline, 60_999)).toBeUndefined();
    expect(endingAt(lifeline, 61_000)).toBe('silence');
  });

  it('counts the silence from when the last answered heartbeat left, not from its answer', () => {
    const lifeline = answeredBy(startLifeline(60, 0), answered(), 10_000);
    expect(endingAt(lifeline, 69_999)).toBeUndefined();
    expect(endingAt(lifeline, 70_000)).toBe('silence');
  });

  it('does not count an unanswered heartbeat', () => {
    const lifeline = answeredBy(startLifeline(60, 0), unanswered, 50_000);
    expect(endingAt(lifeline, 60_000)).toBe('silence');
  });

  it('ends two seconds after the lease, and says before that nothing is left', () => {
    const lifeline = answeredBy(startLifeline(60, 0), answered({ remainingSeconds: 30 }), 1_000);
    expect(remainingSeconds(lifeline, 11_000)).toBe(20);
    expect(remainingSeconds(lifeline, 32_000)).toBe(0);
    expect(endingAt(lifeline, 32_999)).toBeUndefined();
    expect(endingAt(lifeline, 33_000)).toBe('lease_over');
  });

  it('takes a renewal, and a lease that was shortened, from the next answer', () => {
    const short = answeredBy(startLifeline(60, 0), answered({ remainingSeconds: 5 }), 0);
    const renewed = answeredBy(short, answered({ remainingSeconds: 50 }), 4_000);
    expect(endingAt(renewed, 20_000)).toBeUndefined();
    expect(endingAt(answeredBy(renewed, answered({ remainingSeconds: 1 }), 5_000), 8_000)).toBe('lease_over');
  });

  it('asks once more at the end of its lease, which may have been renewed since it last asked', () => {
    const lifeline = answeredBy(startLifeline(60, 0), answered({ remainingSeconds: 2.5, nextSeconds: 5 }), 1_000);
    expect(lifeline.nextHeartbeatAt).toBe(3_500);
    const renewed = answeredBy(lifeline, answered({ remainingSeconds: 60, nextSeconds: 5 }), 3_500);
    expect(endingAt(renewed, 5_500)).toBeUndefined();
    const unheard = answeredBy(lifeline, unanswered, 2_000, true);
    expect(unheard.nextHeartbeatAt).toBe(3_500);
  });

  it('does not live on with a lease of which nothing is left, however often that is said', () => {
    let lifeline = answeredBy(startLifeline(60, 0), answered({ remainingSeconds: 1 }), 0);
    for (let at = 1_000; at < 3_000; at += 200) lifeline = answeredBy(lifeline, answered({ remainingSeconds: 0 }), at);
    expect(endingAt(lifeline, 3_000)).toBe('lease_over');
  });

  it('runs no lease until one is told', () => {
    expect(remainingSeconds(startLifeline(60, 0), 5_000)).toBeNull();
    expect(remainingSeconds(answeredBy(startLifeline(60, 0), answered(), 1_000), 5_000)).toBeNull();
  });

  it.each<[string, HeartbeatOutcome, Ending]>([
    ['told to stop', answered({ stop: true, remainingSeconds: 600 }), 'told_to_stop'],
    ['not known to the control plane', { type: 'unwanted', status: 404 }, 'not_wanted'],
  ])('ends when it is %s', (_, outcome, ending) => {
    expect(afterHeartbeat(startLifeline(60, 0), outcome, { sentAt: 0, now: 1, assetLoaded: true })).toBe(ending);
  });

  it('sends the next heartbeat when the answer says, but neither in a flood nor too late to be heard', () => {
    const next = (nextSeconds: number) =>
      answeredBy(startLifeline(60, 0), answered({ nextSeconds }), 1_000).nextHeartbeatAt;
    expect(next(5)).toBe(6_000);
    expect(next(0.001)).toBe(1_200);
    expect(next(3_600)).toBe(21_000);
  });

  it('tries again after 1 s without an answer, and after 5 s once its asset is loaded', () => {
    expect(answeredBy(startLifeline(60, 0), unanswered, 1_000).nextHeartbeatAt).toBe(2_100);
    expect(answeredBy(startLifeline(60, 0), unanswered, 1_000, true).nextHeartbeatAt).toBe(6_100);
  });

  it('never outlives its last answer by more than the silence, nor the lease by more than two seconds', () => {
    const outcome = fc.oneof(
      fc.constant(unanswered),
      fc
        .record({
          remainingSeconds: fc.option(fc.double({ min: 0, max: 3_600, noNaN: true })),
          nextSeconds: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        })
        .map(answered),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.array(outcome, { maxLength: 30 }), (silence, outcomes) => {
        let lifeline = startLifeline(silence, 0);
        let heardAt = 0;
        for (const each of outcomes) {
          const sentAt = lifeline.nextHeartbeatAt;
          if (endingAt(lifeline, sentAt) !== undefined) break;
          if (each.type === 'answered') heardAt = sentAt;
          lifeline = answeredBy(lifeline, each, sentAt);
        }
        const left = remainingSeconds(lifeline, heardAt);
        const latest = Math.min(heardAt + silence * 1_000, left === null ? Infinity : heardAt + left * 1_000 + 2_000);
        expect(endsAt(lifeline)).toBeCloseTo(latest, 3);
        expect(endingAt(lifeline, endsAt(lifeline))).toBeDefined();
        expect(endingAt(lifeline, endsAt(lifeline) - 1)).toBeUndefined();
      }),
    );
  });
});

describe('an ordered asset', () => {
  const present = { name: 'robot.glb', url: 'https://store.example/assets/one/robot.glb?sig=a' };

  it('is another one where its name or its place differs', () => {
    expect(isAnotherAsset(undefined, present)).toBe(true);
    expect(isAnotherAsset(present, { ...present, name: 'car.glb' })).toBe(true);
    expect(isAnotherAsset(present, { ...present, url: 'https://store.example/assets/two/robot.glb?sig=a' })).toBe(true);
    expect(isAnotherAsset(present, { ...present, url: 'https://other.example/assets/one/robot.glb' })).toBe(true);
  });

  it('is the same one where only the signature differs', () => {
    expect(isAnotherAsset(present, { ...present, url: 'https://store.example/assets/one/robot.glb?sig=b' })).toBe(
      false,
    );
  });
});
