import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { selfHosted } from '#lib/rendering';
import { at } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { beat, openParts, pass, passes, type TestParts } from './session-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString, { MAX_LEASE_SECONDS: '1200', HEARTBEAT_SILENCE_SECONDS: '3600' });
});

/** A session that is Ready from the clock's beginning. */
async function ready(maxLeaseSeconds: number): Promise<void> {
  const request = { owner: 'ada', readers: [], size: 'Standard', maxLeaseSeconds } as const;
  await selfHosted(parts).createSession('s', request);
  await passes(parts, 's');
  await beat(parts, 's');
  await passes(parts, 's');
}

/** Runs the orchestration, which sleeps for as long as it wants, until so many seconds from Ready. */
async function runUntil(seconds: number): Promise<void> {
  for (;;) {
    const wakeAt = await pass(parts, 's');
    if (wakeAt === undefined || wakeAt > at(seconds)) break;
    parts.clock.advance(Math.max(0, (wakeAt.getTime() - parts.now().getTime()) / 1000));
  }
  parts.clock.advance((at(seconds).getTime() - parts.now().getTime()) / 1000);
}

const renew = (maxLeaseSeconds: number) => selfHosted(parts).updateSession('s', { maxLeaseSeconds });
const warnings = async () =>
  (await parts.sessions.history('s'))
    .filter(({ type }) => type === 'lease_warning')
    .map(({ at: when, evidence }) => [when, evidence]);
const warning = (from: number, left: number) => [
  at(from).toISOString(),
  `The lease ends in ${left} s, at ${at(from + left).toISOString()}.`,
];

describe('the end of a lease', () => {
  test('is announced five minutes and one minute before, to the second, and once each', async () => {
    await ready(603);
    await runUntil(603);
    expect(await warnings()).toEqual([warning(303, 300), warning(543, 60)]);
    expect(await passes(parts, 's')).toMatchObject({ state: 'stopped', ending: { reason: 'lease_expired' } });
    expect((await parts.sessions.history('s')).map(({ type, state }) => `${type} ${state}`)).toEqual([
      'state starting',
      'state ready',
      'lease_warning ready',
      'lease_warning ready',
      'state stopping',
      'state stopped',
    ]);
  });

  test.each([60, 30])(
    'of a lease of %i s is announced by nothing: there is no more warning in it than in its beginning',
    async (total) => {
      await ready(total);
      await runUntil(total);
      expect(await warnings()).toEqual([]);
    },
  );

  test('is announced again where a renewal moves it', async () => {
    await ready(330);
    await runUntil(280);
    expect(await warnings()).toEqual([warning(30, 300), warning(270, 60)]);
    await renew(700);
    await runUntil(699);
    expect((await warnings()).slice(2)).toEqual([warning(400, 300), warning(640, 60)]);
  });

  test('is not announced where somebody has already asked it to stop', async () => {
    await ready(330);
    parts.clock.advance(29);
    await selfHosted(parts).stopSession('s', { reason: 'user_stop', evidence: '' });
    parts.clock.advance(1);
    expect((await passes(parts, 's')).state).toBe('stopped');
    expect(await warnings()).toEqual([]);
  });

  test('is announced late, by what is left, where the orchestration overslept', async () => {
    await ready(600);
    parts.clock.advance(550.5);
    await passes(parts, 's');
    expect(await warnings()).toEqual([
      [at(550.5).toISOString(), `The lease ends in 50 s, at ${at(600).toISOString()}.`],
    ]);
  });

  test('is announced once however often the step runs, also of a session that knows of no warnings', async () => {
    await ready(600);
    const { warned } = await parts.sessions.get('s');
    expect(warned).toBeUndefined();
    parts.clock.advance(300);
    await Promise.all([pass(parts, 's'), pass(parts, 's'), pass(parts, 's')]);
    await pass(parts, 's');
    expect(await warnings()).toEqual([warning(300, 300)]);
  });
});
