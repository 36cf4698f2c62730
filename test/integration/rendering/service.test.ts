import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { receiveHeartbeat, selfHosted } from '#lib/rendering';
import { at, newConversion } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { beat, openParts, pass, passes, type TestParts } from './session-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString, { MAX_LEASE_SECONDS: '600' });
});

const session = { owner: 'ada', readers: ['clients'], size: 'Standard', maxLeaseSeconds: 60 } as const;
const asset = { container: 'assets', blob: 's/chair.glb' };
const service = () => selfHosted(parts);
const renew = (maxLeaseSeconds: number, ifMatch?: number) =>
  service().updateSession('s', { maxLeaseSeconds, ...(ifMatch !== undefined && { ifMatch }) });

async function ready(): Promise<void> {
  await service().createSession('s', session);
  await passes(parts, 's');
  await beat(parts, 's');
  await passes(parts, 's');
}

describe('creating a session', () => {
  test('again with the same settings is the same session, also after its lease was renewed; its process is started once', async () => {
    const first = await service().createSession('s', session);
    expect(first).toMatchObject({ id: 's', state: 'starting', lease: { revision: 1, maxLeaseSeconds: 60 } });
    await renew(90);
    expect((await service().createSession('s', session)).lease.maxLeaseSeconds).toBe(90);
    expect(parts.orchestrations.started).toEqual(['session s']);
  });

  test.each([
    ['size', { size: 'Premium' }],
    ['lease', { maxLeaseSeconds: 61 }],
  ] as const)('again with another %s is a conflict', async (_, change) => {
    await service().createSession('s', session);
    const other = service().createSession('s', { ...session, ...change });
    await expect(other).rejects.toMatchObject({ name: 'RenderingError', code: 'conflict' });
  });

  test('with a lease over MAX_LEASE_SECONDS is refused, and leaves nothing', async () => {
    const over = service().createSession('s', { ...session, maxLeaseSeconds: 601 });
    await expect(over).rejects.toMatchObject({ code: 'lease_over_cap' });
    expect(await service().getSession('s')).toBeUndefined();
    expect(parts.orchestrations.started).toEqual([]);
  });
});

describe('renewing the lease', () => {
  test('moves its end to exactly the new total after Ready, and the session lasts until then', async () => {
    await ready();
    const { lease } = await renew(90, 1);
    expect(lease).toMatchObject({ revision: 2, startedAt: at(0).toISOString(), expiresAt: at(90).toISOString() });
    parts.clock.advance(60);
    await beat(parts, 's');
    expect((await passes(parts, 's')).state).toBe('ready');
    parts.clock.advance(30);
    expect(await passes(parts, 's')).toMatchObject({
      state: 'stopped',
      ending: { reason: 'lease_expired', at: at(90).toISOString() },
    });
  });

  test('of two at once with the same ETag one wins, and the other is told that the lease is stale', async () => {
    await ready();
    const both = await Promise.allSettled([renew(90, 1), renew(120, 1)]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'stale' } });
    expect((await parts.sessions.get('s')).lease.revision).toBe(2);
  });

  test('a hundred times extends it by exactly what the last one said', async () => {
    await ready();
    for (let total = 61; total <= 160; total += 1) await renew(total, total - 60);
    expect((await parts.sessions.get('s')).lease).toMatchObject({ revision: 101, expiresAt: at(160).toISOString() });
    expect(parts.orchestrations.woken).toEqual([]);
  });

  test('to the cap makes it end as hard_cap', async () => {
    await ready();
    await renew(600);
    parts.clock.advance(600);
    expect(await passes(parts, 's')).toMatchObject({ state: 'stopped', ending: { reason: 'hard_cap' } });
  });

  test.each([
    ['at its end, though nobody has closed it yet', async () => parts.clock.advance(60)],
    ['once its stop is asked for', () => service().stopSession('s', { reason: 'user_stop', evidence: '' })],
    [
      'when it is over',
      async () => {
        parts.clock.advance(60);
        await passes(parts, 's');
      },
    ],
  ])('%s is refused as closing', async (_, close) => {
    await ready();
    await close();
    await expect(renew(90, 1)).rejects.toMatchObject({ code: 'closing' });
  });

  test('of a session that is not there is not_found', async () => {
    await expect(renew(90)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is told in the history, once each, and not where it was refused', async () => {
    await ready();
    await renew(90);
    await renew(90).catch(() => undefined);
    await renew(120);
    const told = (await parts.sessions.history('s')).filter(({ type }) => type === 'lease_renewed');
    expect(told.map(({ evidence }) => evidence)).toEqual([
      `The total is 90 s, until ${at(90).toISOString()}.`,
      `The total is 120 s, until ${at(120).toISOString()}.`,
    ]);
  });
});

describe('the asset that a session shows', () => {
  test('is loading until its host says what became of it', async () => {
    await ready();
    expect(await service().getSession('s')).toMatchObject({ state: 'ready', asset: { state: 'none' } });
    await service().loadAsset('s', asset);
    expect(await service().getSession('s')).toMatchObject({ asset: { state: 'loading' } });
    await beat(parts, 's', { name: 'another.glb', state: 'loaded' });
    expect(await service().getSession('s')).toMatchObject({ asset: { state: 'loading' } });
    await beat(parts, 's', { name: asset.blob, state: 'loaded' });
    expect(await service().getSession('s')).toMatchObject({ asset: { state: 'loaded' } });
  });

  test('asked for twice is told once; another takes its place', async () => {
    await ready();
    await service().loadAsset('s', asset);
    await service().loadAsset('s', asset);
    await service().loadAsset('s', { ...asset, blob: 's/table.glb' });
    const told = (await parts.sessions.history('s')).filter(({ type }) => type === 'asset');
    expect(told).toHaveLength(2);
  });

  test('is not told to a session that has ended', async () => {
    await ready();
    parts.clock.advance(60);
    const ended = await passes(parts, 's');
    await service().loadAsset('s', asset);
    expect(await parts.sessions.get('s')).toEqual(ended);
  });
});

describe('a heartbeat', () => {
  const said = { state: 'ready', hostname: 'h', ports: { inspector: 1 }, connected: true, asset: null } as const;

  test('is answered with what the record says, before Ready and after', async () => {
    await service().createSession('s', session);
    await passes(parts, 's');
    expect(await beat(parts, 's')).toEqual({ remainingSeconds: null, stop: false, asset: null, nextSeconds: 1 });
    await pass(parts, 's');
    await service().loadAsset('s', asset);
    parts.clock.advance(10);
    expect(await beat(parts, 's')).toEqual({
      remainingSeconds: 50,
      stop: false,
      asset: { name: asset.blob, url: expect.stringMatching(/\/assets\/s\/chair\.glb\?.*sp=r&/) },
      nextSeconds: 1,
    });
    expect(await beat(parts, 's', { name: asset.blob, state: 'loaded' })).toMatchObject({ nextSeconds: 5 });
  });

  test('gets a URL that reads this one blob and soon ends, by the clock of the suite', async () => {
    await ready();
    await service().loadAsset('s', asset);
    const url = new URL((await beat(parts, 's')).asset?.url ?? '');
    expect(url.searchParams.get('sr')).toBe('b');
    expect(url.searchParams.get('se')).toBe('2026-03-01T12:10:00Z');
  });

  test('of a machine whose session is over is told to stop', async () => {
    await ready();
    parts.machines.stopsAtOnce = false;
    await service().stopSession('s', { reason: 'user_stop', evidence: '' });
    await pass(parts, 's');
    expect(await beat(parts, 's')).toMatchObject({ remainingSeconds: 0, stop: true });
    parts.machines.takeAway('s');
    await passes(parts, 's');
    expect(await beat(parts, 's')).toMatchObject({ stop: true });
  });

  test.each([
    ['without a secret', undefined],
    ['with another secret', 'guessed'],
    ['with an empty one', ''],
  ])('%s is refused and leaves no trace', async (_, secret) => {
    await service().createSession('s', session);
    await passes(parts, 's');
    const heartbeat = receiveHeartbeat(parts, 's', secret, async () => said);
    await expect(heartbeat).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await parts.heartbeats.read('s')).toBeUndefined();
  });

  test('for a session without a machine, or for none, is refused', async () => {
    await service().createSession('s', session);
    await expect(receiveHeartbeat(parts, 's', 'secret-1', async () => said)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(receiveHeartbeat(parts, 'nobody', 'secret-1', async () => said)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  test('changes no record: it is kept beside it', async () => {
    await ready();
    const { revision } = await parts.sessions.get('s');
    for (let count = 0; count < 5; count += 1) await beat(parts, 's');
    expect((await parts.sessions.get('s')).revision).toBe(revision);
  });
});

describe('a conversion', () => {
  const { locations } = newConversion('c');
  const wanted = { owner: 'ada', readers: ['clients'], ...locations };

  test('is started once for the same id and settings', async () => {
    expect(await service().getConversion('c')).toBeUndefined();
    const started = await Promise.all([service().startConversion('c', wanted), service().startConversion('c', wanted)]);
    expect(started).toEqual([started[0], started[0]]);
    expect(await service().getConversion('c')).toEqual({ state: 'not_started', retryAfterSeconds: 0.5 });
    expect(parts.orchestrations.started).toEqual(['conversion c']);
  });

  test.each([
    ['settings', { settings: { scaling: 2 } }],
    ['settings, none to empty ones,', { settings: {} }],
    ['input', { input: { ...locations.input, blobPrefix: 'table/' } }],
    ['output', { output: { ...locations.output, outputAssetFilename: 'table.glb' } }],
  ])('with another %s under the same id is a conflict', async (_, change) => {
    await service().startConversion('c', wanted);
    const other = service().startConversion('c', { ...wanted, ...change });
    await expect(other).rejects.toMatchObject({ name: 'RenderingError', code: 'conflict' });
  });
});
