import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Heartbeat, SessionSlots } from '#lib/records';
import { at, openRecords, type TestRecords } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';

let storage: TestStorage;
let records: TestRecords;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  records = await openRecords(storage.connectionString);
});

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, number) => `${name}-${number}`);

describe('the slots for sessions', () => {
  test('of fifty that claim at once over eight slots, eight have one, and the row says which', async () => {
    const ids = numbered('session', 50);
    const claimed = await Promise.all(ids.map((id) => records.slots.claim(id)));
    const holders = ids.filter((_, index) => claimed[index]);
    expect(holders).toHaveLength(8);
    expect([...(await records.slots.holders())].sort()).toEqual(holders.sort());
  });

  test('claiming twice holds one, even where all are taken by then', async () => {
    const few = new SessionSlots(records.table, 2);
    expect(await few.claim('one')).toBe(true);
    expect(await few.claim('one')).toBe(true);
    expect(await few.claim('other')).toBe(true);
    expect(await few.claim('third')).toBe(false);
    expect(await few.claim('one')).toBe(true);
    expect(await few.holders()).toEqual(['one', 'other']);
  });

  test('one that is given back is free for the next, and may be given back again', async () => {
    const one = new SessionSlots(records.table, 1);
    await one.claim('first');
    expect(await one.claim('second')).toBe(false);
    await one.release('first');
    await one.release('first');
    expect(await one.claim('second')).toBe(true);
    await one.release('first');
    expect(await one.holders()).toEqual(['second']);
  });

  test('giving back before anybody ever claimed leaves them empty', async () => {
    await records.slots.release('nobody');
    expect(await records.slots.holders()).toEqual([]);
  });

  test('where MAX_SESSIONS has become smaller, holders stay and nobody else comes in', async () => {
    for (const id of ['a', 'b', 'c']) await records.slots.claim(id);
    const fewer = new SessionSlots(records.table, 1);
    expect(await fewer.claim('d')).toBe(false);
    expect(await fewer.claim('c')).toBe(true);
    expect(await fewer.holders()).toHaveLength(3);
  });

  test('claims and returns at once never grant more than there are', async () => {
    const three = new SessionSlots(records.table, 3);
    const most: number[] = [];
    await Promise.all(
      numbered('session', 20).map(async (id) => {
        if (await three.claim(id)) await three.release(id);
        most.push((await three.holders()).length);
      }),
    );
    expect(Math.max(...most)).toBeLessThanOrEqual(3);
    expect(await three.holders()).toEqual([]);
  });
});

describe('the claim on a content', () => {
  test('of twenty that claim at once one holds it, and all are told who', async () => {
    const ids = numbered('conversion', 20);
    const claims = await Promise.all(ids.map((id) => records.claims.claim('c0ffee', id)));
    const [{ holder } = { holder: '' }] = claims;
    expect(ids).toContain(holder);
    expect(claims).toEqual(ids.map(() => ({ holder, done: false })));
  });

  test('of twenty that take over from a holder that failed, one has it, and all are told who', async () => {
    await records.claims.claim('c0ffee', 'failed');
    const ids = numbered('conversion', 20);
    const claims = await Promise.all(ids.map((id) => records.claims.takeOver('c0ffee', 'failed', id)));
    const holders = new Set(claims.map(({ holder }) => holder));
    expect(holders.size).toBe(1);
    expect(ids).toContain([...holders][0]);
  });

  test('nobody takes it over from one who does not hold it', async () => {
    await records.claims.claim('c0ffee', 'holder');
    expect(await records.claims.takeOver('c0ffee', 'someone', 'thief')).toEqual({ holder: 'holder', done: false });
  });

  test('finished is final: no claim, takeover or second finish changes it', async () => {
    await records.claims.claim('c0ffee', 'first');
    await records.claims.finish('c0ffee', 'first');
    const final = { holder: 'first', done: true };
    expect(await records.claims.claim('c0ffee', 'other')).toEqual(final);
    expect(await records.claims.takeOver('c0ffee', 'first', 'other')).toEqual(final);
    await records.claims.finish('c0ffee', 'other');
    expect(await records.claims.claim('c0ffee', 'first')).toEqual(final);
  });

  test('one who finished after losing the claim is who the content came from', async () => {
    await records.claims.claim('c0ffee', 'slow');
    await records.claims.takeOver('c0ffee', 'slow', 'other');
    await records.claims.finish('c0ffee', 'slow');
    expect(await records.claims.claim('c0ffee', 'other')).toEqual({ holder: 'slow', done: true });
  });

  test('contents do not know of each other', async () => {
    await records.claims.claim('c0ffee', 'one');
    expect((await records.claims.claim('cafe', 'other')).holder).toBe('other');
  });
});

describe('the last heartbeat of a session', () => {
  const heartbeat = (seconds: number, connected = false): Heartbeat => ({
    at: at(seconds).toISOString(),
    hostname: '127.0.0.1',
    ports: { inspector: 4000 },
    connected,
    asset: null,
  });

  test('is undefined until there is one, then the one that was written last', async () => {
    expect(await records.heartbeats.read('s')).toBeUndefined();
    await records.heartbeats.write('s', heartbeat(1));
    await records.heartbeats.write('s', heartbeat(2, true));
    expect(await records.heartbeats.read('s')).toEqual(heartbeat(2, true));
    expect(await records.heartbeats.read('other')).toBeUndefined();
  });

  test('is one of those that came at the same moment, whole', async () => {
    const sent = Array.from({ length: 20 }, (_, second) => heartbeat(second));
    await Promise.all(sent.map((each) => records.heartbeats.write('s', each)));
    expect(sent).toContainEqual(await records.heartbeats.read('s'));
  });
});
