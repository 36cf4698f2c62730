import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Revocations } from '#lib/records';
import { at, START, type TestClock, testClock } from '../../support/records.ts';
import { type SentRequests, watchRequests } from '../../support/sent-requests.ts';
import { type SecureTestStorage, startSecureStorage } from '../../support/stack.ts';

let storage: SecureTestStorage;
let clock: TestClock;
let table: TableClient;
let revocations: Revocations;
let requests: SentRequests;

beforeAll(async () => {
  storage = await startSecureStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  clock = testClock();
  table = await newTable(storage);
  revocations = new Revocations(table, clock.now);
  requests = watchRequests();
});
afterEach(() => requests[Symbol.dispose]());

/** A table of a test's own, without retries, so that a storage that is gone is known to be at once. */
async function newTable({ access }: SecureTestStorage): Promise<TableClient> {
  const name = `revocations${randomUUID().replaceAll('-', '')}`;
  const options = { retryOptions: { maxRetries: 0 } };
  const client = new TableClient(access.tableServiceUri, name, access.credential, options);
  await client.createTable();
  return client;
}

/** How often the list was read. */
const reads = () => requests.count('revocations%27');

describe('a revocation', () => {
  test('acts at once where it is made, and is listed', async () => {
    expect(await revocations.isRevoked('ada', 'kid-1')).toBe(false);
    const made = await revocations.revoke('ada', 'root');
    expect(made).toEqual({ target: 'ada', revokedAt: START.toISOString(), by: 'root', created: true });
    expect(await revocations.isRevoked('ada')).toBe(true);
    expect(await revocations.isRevoked('kid-1', 'ada')).toBe(true);
    expect(await revocations.isRevoked('kid-1', 'adam', 'ad', '')).toBe(false);
    expect(await revocations.isRevoked()).toBe(false);
    expect(await revocations.list()).toEqual([{ target: 'ada', revokedAt: START.toISOString(), by: 'root' }]);
  });

  test('made again stays the first one', async () => {
    await revocations.revoke('ada', 'root');
    clock.advance(5);
    const again = await revocations.revoke('ada', 'bob');
    expect(again).toEqual({ target: 'ada', revokedAt: START.toISOString(), by: 'root', created: false });
    expect(await revocations.list()).toHaveLength(1);
  });

  test('made by many at once is made by one of them', async () => {
    const instances = Array.from({ length: 8 }, () => new Revocations(table, clock.now));
    const made = await Promise.all(instances.map((instance, index) => instance.revoke('ada', `admin-${index}`)));
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ by }) => by)).size).toBe(1);
  });

  test('is taken back once, acts no more at once, and may be made again', async () => {
    await revocations.revoke('ada', 'root');
    expect(await revocations.isRevoked('ada')).toBe(true);
    expect(await revocations.restore('ada')).toBe(true);
    expect(await revocations.isRevoked('ada')).toBe(false);
    expect(await revocations.restore('ada')).toBe(false);
    expect(await revocations.list()).toEqual([]);
    clock.advance(5);
    const again = await revocations.revoke('ada', 'root');
    expect(again).toMatchObject({ created: true, revokedAt: at(5).toISOString() });
    expect(await revocations.isRevoked('ada')).toBe(true);
  });

  test('may be of any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (target) => {
        await revocations.revoke(target, 'root');
        const other = new Revocations(table, clock.now);
        expect(await other.list()).toContainEqual(expect.objectContaining({ target }));
        expect(await other.isRevoked(target)).toBe(true);
        expect(await other.restore(target)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('is found among more than one page of them', async () => {
    const targets = Array.from({ length: 1001 }, (_, index) => `kid-${index}`);
    for (let start = 0; start < targets.length; start += 91) {
      await Promise.all(targets.slice(start, start + 91).map((target) => revocations.revoke(target, 'root')));
    }
    const other = new Revocations(table, clock.now);
    expect(await other.list()).toHaveLength(1001);
    expect(await Promise.all(targets.map((target) => other.isRevoked(target)))).not.toContain(false);
  });

  test('that cannot be written is an error', async () => {
    await table.deleteTable();
    await expect(revocations.revoke('ada', 'root')).rejects.toMatchObject({ statusCode: 404 });
    await expect(revocations.isRevoked('ada')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('the list of revocations', () => {
  test('is read once for all who wait, and kept for 15 s', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => revocations.isRevoked(`subject-${index}`)));
    expect(reads()).toBe(1);
    clock.advance(15);
    await revocations.isRevoked('ada');
    expect(reads()).toBe(1);
    clock.advance(1);
    await Promise.all(Array.from({ length: 50 }, () => revocations.isRevoked('ada')));
    expect(reads()).toBe(2);
  });

  test('tells after 15 s what another instance revoked or restored', async () => {
    const other = new Revocations(table, clock.now);
    expect(await other.isRevoked('ada')).toBe(false);
    await revocations.revoke('ada', 'root');
    clock.advance(16);
    expect(await other.isRevoked('ada')).toBe(true);
    await revocations.restore('ada');
    clock.advance(16);
    expect(await other.isRevoked('ada')).toBe(false);
  });

  test('does not forget what was revoked here while it was read', async () => {
    for (let round = 0; round < 20; round += 1) {
      clock.advance(16);
      const reading = revocations.isRevoked('nobody');
      await revocations.revoke(`ada-${round}`, 'root');
      expect(await revocations.isRevoked(`ada-${round}`)).toBe(true);
      await reading;
      expect(await revocations.isRevoked(`ada-${round}`)).toBe(true);
    }
  });

  test('is read again after the clock was put back', async () => {
    const other = new Revocations(table, clock.now);
    expect(await other.isRevoked('ada')).toBe(false);
    await revocations.revoke('ada', 'root');
    clock.advance(-3600);
    expect(await other.isRevoked('ada')).toBe(true);
  });
});

describe('storage that is gone', () => {
  test('lets the last list count for 60 s, asks again every 15 s, then lets nobody in', async () => {
    await using own = await startSecureStorage();
    const lost = new Revocations(await newTable(own), clock.now);
    await lost.revoke('ada', 'root');
    expect(await lost.isRevoked('bob')).toBe(false);
    await own.stop();
    const before = reads();
    for (const [advance, tries] of [
      [16, 1],
      [10, 1],
      [10, 2],
      [24, 3],
    ] as const) {
      clock.advance(advance);
      expect(await lost.isRevoked('ada')).toBe(true);
      expect(await lost.isRevoked('bob')).toBe(false);
      expect(reads() - before).toBe(tries);
    }
    clock.advance(1);
    await expect(lost.isRevoked('bob')).rejects.toMatchObject({ code: 'unavailable' });
    await expect(lost.isRevoked('ada')).rejects.toThrow('nobody is let in');
  });

  test('lets nobody in from the first', async () => {
    await using own = await startSecureStorage();
    const lost = new Revocations(await newTable(own), clock.now);
    await own.stop();
    await expect(lost.isRevoked('bob')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('or that hangs is given up after 5 s', async () => {
    await using own = await startSecureStorage();
    const stuck = new Revocations(await newTable(own), clock.now);
    await stuck.revoke('ada', 'root');
    expect(await stuck.isRevoked('ada')).toBe(true);
    clock.advance(30);
    process.kill(own.child.pid, 'SIGSTOP');
    try {
      expect(await stuck.isRevoked('ada')).toBe(true);
      clock.advance(31);
      await expect(stuck.isRevoked('ada')).rejects.toMatchObject({ code: 'unavailable' });
    } finally {
      process.kill(own.child.pid, 'SIGCONT');
    }
    expect(await stuck.isRevoked('ada')).toBe(true);
  });
});
