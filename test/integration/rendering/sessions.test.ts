import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ComputeError } from '#lib/compute';
import { receiveHeartbeat, selfHosted, startMachine, stopSession, watchSession } from '#lib/rendering';
import { at, START } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { beat, openParts, pass, passes, type TestParts } from './session-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString, { MAX_SESSIONS: '2', MAX_LEASE_SECONDS: '600' });
});

const request = { owner: 'ada', readers: ['clients'], size: 'Standard', maxLeaseSeconds: 60 } as const;
const create = (id = 's') => selfHosted(parts).createSession(id, request);
const statesOf = async (id = 's') => (await parts.sessions.history(id)).map(({ state }) => state);

/** A session whose machine runs and whose session host has just said so. */
async function ready(id = 's'): Promise<void> {
  await create(id);
  await passes(parts, id);
  await beat(parts, id);
  await passes(parts, id);
}

describe('a start that is run again because its end was lost', () => {
  test('leaves the machine the secret that it was given', async () => {
    await create();
    await startMachine(parts, 's');
    const { machine } = await parts.sessions.get('s');
    expect(await startMachine(parts, 's')).toEqual(at(0.5));
    expect((await parts.sessions.get('s')).machine).toEqual(machine);
    await beat(parts, 's');
    expect((await passes(parts, 's')).state).toBe('ready');
  });
});

describe('a session from its creation to its end', () => {
  test('claims a slot, has one machine, is Ready when its host speaks, and ends with its lease to the second', async () => {
    await create();
    expect(await pass(parts, 's')).toEqual(at(0.5));
    expect(parts.machines.started).toEqual([
      {
        name: 's',
        size: 'Standard',
        sessionId: 's',
        host: {
          heartbeatUrl: 'http://app.test/api/sessions/s/heartbeats',
          heartbeatSecret: 'secret-1',
          silenceSeconds: 60,
        },
      },
    ]);
    const secretHash = createHash('sha256').update('secret-1').digest('hex');
    expect((await parts.sessions.get('s')).machine).toMatchObject({ name: 's', secretHash, accepted: true });

    parts.clock.advance(3);
    await beat(parts, 's');
    await pass(parts, 's');
    expect(await parts.sessions.get('s')).toMatchObject({
      state: 'ready',
      machine: { hostname: '127.0.0.1', ports: { inspector: 4242 } },
      lease: { startedAt: at(3).toISOString(), expiresAt: at(63).toISOString() },
    });
    expect(await pass(parts, 's')).toEqual(at(8));

    parts.clock.advance(58);
    await beat(parts, 's');
    expect(await pass(parts, 's')).toEqual(at(63));
    parts.clock.advance(2);
    expect(await passes(parts, 's')).toMatchObject({
      state: 'stopped',
      ending: { reason: 'lease_expired', evidence: `The lease ended at ${at(63).toISOString()}.` },
      machine: { startedAt: START.toISOString(), stoppedAt: at(63).toISOString() },
    });
    expect(parts.machines.stopped).toEqual(['s']);
    expect(await parts.slots.holders()).toEqual([]);
    expect(await statesOf()).toEqual(['starting', 'ready', 'stopping', 'stopped']);
    expect(await pass(parts, 's')).toBeUndefined();
  });

  test('is stopping, and keeps its slot, for as long as its machine is there', async () => {
    await ready();
    parts.machines.stopsAtOnce = false;
    parts.clock.advance(60);
    for (let look = 0; look < 3; look += 1) expect((await passes(parts, 's')).state).toBe('stopping');
    expect(await parts.slots.holders()).toEqual(['s']);
    parts.machines.takeAway('s');
    expect((await passes(parts, 's')).state).toBe('stopped');
    expect(await parts.slots.holders()).toEqual([]);
  });

  test('is stopping while the provider refuses to stop its machine, and the next pass asks again', async () => {
    await ready();
    parts.machines.unstoppable.add('s');
    parts.clock.advance(60);
    await expect(pass(parts, 's')).rejects.toThrow('s cannot be stopped now');
    expect(await parts.sessions.get('s')).toMatchObject({ state: 'stopping', ending: { reason: 'lease_expired' } });
    parts.machines.unstoppable.clear();
    expect((await passes(parts, 's')).state).toBe('stopped');
  });

  test('a step that runs late or twice changes nothing', async () => {
    await ready();
    const before = await parts.sessions.get('s');
    await startMachine(parts, 's');
    await stopSession(parts, 's');
    expect(await parts.sessions.get('s')).toEqual(before);
    parts.clock.advance(60);
    const ended = await passes(parts, 's');
    await watchSession(parts, 's');
    await stopSession(parts, 's');
    expect(await parts.sessions.get('s')).toEqual(ended);
    expect(parts.machines.started).toHaveLength(1);
  });
});

describe('a session that gets no machine', () => {
  test('fails with capacity where every slot is taken, and takes nobody theirs', async () => {
    await ready('one');
    await ready('two');
    await create('third');
    expect(await passes(parts, 'third')).toMatchObject({
      state: 'failed',
      ending: { reason: 'capacity', evidence: 'All 2 slots of MAX_SESSIONS are taken.' },
    });
    expect(parts.machines.names).toEqual(['one', 'two']);
    expect(await parts.slots.holders()).toEqual(['one', 'two']);
    await create('fourth');
    await selfHosted(parts).stopSession('one', { reason: 'user_stop', evidence: 'enough' });
    await passes(parts, 'one');
    expect((await passes(parts, 'fourth')).state).toBe('starting');
  });

  test.each([
    ['capacity', new ComputeError('capacity', 'Nothing is free.'), 'capacity'],
    ['quota', new ComputeError('quota', 'The quota is used up.'), 'quota'],
    ['a fault', new ComputeError('provider', 'The image is gone.'), 'provider_error'],
  ])('fails with the refusal of the provider: %s', async (_, refusal, reason) => {
    parts.machines.refusal = refusal;
    await create();
    expect(await passes(parts, 's')).toMatchObject({ state: 'failed', ending: { reason, evidence: refusal.message } });
    expect(await parts.slots.holders()).toEqual([]);
    expect(await statesOf()).toEqual(['starting', 'stopping', 'failed']);
  });

  test('fails where the provider says that the machine failed, which is cleared away', async () => {
    await create();
    await passes(parts, 's');
    parts.machines.put('s', { state: 'failed', evidence: 'no such image' });
    await pass(parts, 's');
    expect(await passes(parts, 's')).toMatchObject({
      state: 'failed',
      ending: { reason: 'provider_error', evidence: 'no such image' },
    });
    expect(parts.machines.names).toEqual([]);
  });
});

describe('a session host that does not come up', () => {
  test('is waited for until SESSION_START_TIMEOUT_SECONDS have passed, then its machine is stopped', async () => {
    await create();
    await passes(parts, 's');
    parts.clock.advance(600);
    expect((await passes(parts, 's')).state).toBe('starting');
    parts.clock.advance(0.001);
    await pass(parts, 's');
    expect(await passes(parts, 's')).toMatchObject({
      state: 'failed',
      ending: {
        reason: 'start_timeout',
        evidence: expect.stringContaining('600 s (SESSION_START_TIMEOUT_SECONDS); the machine is running'),
      },
    });
    expect(parts.machines.names).toEqual([]);
  });

  test('is lost where its accepted machine has gone, and no second one is asked for', async () => {
    await create();
    await passes(parts, 's');
    parts.machines.takeAway('s');
    expect(await passes(parts, 's')).toMatchObject({ state: 'failed', ending: { reason: 'host_lost' } });
    expect(parts.machines.started).toHaveLength(1);
  });
});

describe('a control plane that dies while it starts a machine', () => {
  test('before the provider has the order asks again, with another secret; the first one is worth nothing', async () => {
    await create();
    await parts.slots.claim('s');
    const secretHash = createHash('sha256').update('lost').digest('hex');
    await parts.sessions.update('s', (current) => ({
      record: { ...current, machine: { name: 's', secretHash, accepted: false, startedAt: START.toISOString() } },
    }));
    await passes(parts, 's');
    expect(parts.machines.started).toHaveLength(1);
    const said = { state: 'ready', hostname: 'h', ports: { inspector: 1 }, connected: false, asset: null } as const;
    await expect(receiveHeartbeat(parts, 's', 'lost', async () => said)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await beat(parts, 's');
    expect((await passes(parts, 's')).state).toBe('ready');
  });

  test('after the provider has the order keeps the machine and its secret', async () => {
    await create();
    await passes(parts, 's');
    await parts.sessions.update('s', (current) => ({
      record: { ...current, ...(current.machine && { machine: { ...current.machine, accepted: false } }) },
    }));
    await passes(parts, 's');
    expect(parts.machines.started).toHaveLength(1);
    await beat(parts, 's');
    expect((await passes(parts, 's')).state).toBe('ready');
  });

  test('long ago gives up where the time for a start is over', async () => {
    await create();
    await parts.slots.claim('s');
    await parts.sessions.update('s', (current) => ({
      record: {
        ...current,
        machine: { name: 's', secretHash: '00', accepted: false, startedAt: START.toISOString() },
      },
    }));
    parts.clock.advance(601);
    expect(await passes(parts, 's')).toMatchObject({ state: 'failed', ending: { reason: 'start_timeout' } });
    expect(parts.machines.started).toEqual([]);
  });
});

describe('a session host that is lost', () => {
  test('is one that has been silent for longer than HEARTBEAT_SILENCE_SECONDS: its machine is stopped at once', async () => {
    await ready();
    await selfHosted(parts).updateSession('s', { maxLeaseSeconds: 600 });
    parts.clock.advance(60);
    expect((await passes(parts, 's')).state).toBe('ready');
    parts.clock.advance(0.001);
    expect(await passes(parts, 's')).toMatchObject({
      state: 'failed',
      ending: { reason: 'host_lost', evidence: `The last heartbeat was at ${START.toISOString()}, over 60 s ago.` },
    });
    expect(parts.machines.stopped).toEqual(['s']);
  });

  test('is one whose machine has gone', async () => {
    await ready();
    parts.machines.takeAway('s');
    expect(await passes(parts, 's')).toMatchObject({ state: 'failed', ending: { reason: 'host_lost' } });
    expect(await parts.slots.holders()).toEqual([]);
  });
});

describe('an asset that a viewer could not open', () => {
  test('is told of once in the events of its session, which goes on', async () => {
    await ready();
    const asset = {
      name: 's/chair.glb',
      state: 'loaded',
      bytes: 4,
      error: 'a viewer could not open it: no memory',
    } as const;
    for (let beats = 0; beats < 3; beats += 1) {
      await beat(parts, 's', asset);
      expect((await passes(parts, 's')).state).toBe('ready');
    }
    const told = (await parts.sessions.history('s')).filter(({ type }) => type === 'asset');
    expect(told.map(({ evidence }) => evidence)).toEqual([
      'The asset s/chair.glb is loaded, and a viewer could not open it: no memory',
    ]);
  });
});

describe('a session that is asked to stop', () => {
  const stop = (reason: 'user_stop' | 'revoked' = 'user_stop') =>
    selfHosted(parts).stopSession('s', { reason, evidence: 'ada asked for it.' });

  test.each([
    ['before its machine was asked for', async () => void (await create())],
    [
      'while its machine starts',
      async () => {
        await create();
        await passes(parts, 's');
      },
    ],
    ['while it is Ready', () => ready()],
  ])('%s stops, with the reason that was given', async (_, begin) => {
    await begin();
    const machines = parts.machines.names;
    await stop();
    expect(parts.orchestrations.woken).toEqual(['session s']);
    expect(await passes(parts, 's')).toMatchObject({
      state: 'stopped',
      ending: { reason: 'user_stop', evidence: 'ada asked for it.', at: START.toISOString() },
    });
    expect(parts.machines.stopped).toEqual(machines);
    expect(await parts.slots.holders()).toEqual([]);
  });

  test('twice keeps the first reason and tells of it once', async () => {
    await ready();
    await stop();
    await stop('revoked');
    expect((await passes(parts, 's')).desired?.reason).toBe('user_stop');
    const told = (await parts.sessions.history('s')).filter(({ type }) => type === 'stop_asked');
    expect(told).toHaveLength(1);
  });

  test('after its end, or without ever having been, is a success', async () => {
    await ready();
    await stop();
    const ended = await passes(parts, 's');
    await stop('revoked');
    expect(await parts.sessions.get('s')).toEqual(ended);
    await selfHosted(parts).stopSession('nobody', { reason: 'user_stop', evidence: '' });
  });
});
