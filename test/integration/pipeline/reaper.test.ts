import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Sweep, sweep } from '#lib/pipeline';
import { Revocations, type SessionRecord } from '#lib/records';
import { FakeMachines } from '../../support/fake-machines.ts';
import { FakeOrchestrations } from '../../support/fake-orchestrations.ts';
import {
  at,
  newConversion,
  newPipeline,
  newSession,
  openRecords,
  START,
  type TestRecords,
  testConfig,
} from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';

let storage: TestStorage;
let records: TestRecords;
let machines: FakeMachines;
let orchestrations: FakeOrchestrations;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  records = await openRecords(storage.connectionString);
  machines = new FakeMachines(records.clock.now);
  orchestrations = new FakeOrchestrations();
});

const nothing: Sweep = {
  restarted: [],
  woken: [],
  stoppedMachines: [],
  releasedSlots: [],
  published: [],
  failures: [],
};
const run = () => {
  const { table, clock } = records;
  const config = testConfig(storage.connectionString);
  const revocations = new Revocations(table, clock.now);
  return sweep({ ...records, machines, orchestrations, config, revocations, now: clock.now });
};
const ending = { reason: 'lease_expired', evidence: '', at: START.toISOString() } as const;
const desired = { ...ending, state: 'stopped' } as const;

/** A session with a machine that runs, a slot, and an orchestration that lives; then changed as the test needs it. */
async function running(id = 's', change: (record: SessionRecord) => SessionRecord = (record) => record): Promise<void> {
  await records.sessions.create(newSession(id));
  await records.slots.claim(id);
  machines.put(id);
  orchestrations.live.add(`session ${id}`);
  await records.sessions.update(id, (record) => ({ record: change(record) }));
}

const readied = (record: SessionRecord): SessionRecord => ({
  ...record,
  state: 'ready',
  lease: {
    ...record.lease,
    startedAt: at(0).toISOString(),
    expiresAt: at(60).toISOString(),
    hardCapAt: at(600).toISOString(),
  },
});
const stopping = (record: SessionRecord): SessionRecord => ({ ...record, state: 'stopping', ending });
const stopped = (record: SessionRecord): SessionRecord => ({ ...record, state: 'stopped', ending });

/** Spoils the record of a session, and of no other. */
async function spoil(id: string): Promise<void> {
  for await (const { partitionKey = '', rowKey = '', ...row } of records.table.listEntities()) {
    if (!rowKey.startsWith('r~') || !String(row['document']).includes(`"id":"${id}"`)) continue;
    await records.table.updateEntity({ partitionKey, rowKey, document: '{}' }, 'Replace');
  }
}

test('a sweep over what is in order does nothing', async () => {
  expect(await run()).toEqual(nothing);
  await running('s', readied);
  await records.pipelines.create(newPipeline('p'));
  orchestrations.live.add('pipeline p');
  expect(await run()).toEqual(nothing);
  expect(machines.names).toEqual(['s']);
});

describe('orchestrations', () => {
  test('that were lost are started again, for every kind of record that has not ended', async () => {
    await records.pipelines.create(newPipeline('p'));
    await records.conversions.create(newConversion('c'));
    await records.sessions.create(newSession('s'));
    await records.sessions.create(newSession('over'));
    await records.sessions.update('over', (record) => ({ record: stopped(record) }));
    expect(await run()).toMatchObject({ restarted: expect.arrayContaining(['p', 'c', 's']), woken: [] });
    expect(orchestrations.started.sort()).toEqual(['conversion c', 'pipeline p', 'session s']);
    expect(await run()).toEqual(nothing);
  });

  test('that overslept a wish are woken, once it has been unmet for fifteen seconds', async () => {
    await records.pipelines.create(newPipeline('p'));
    await records.conversions.create(newConversion('c'));
    for (const each of ['pipeline p', 'conversion c']) orchestrations.live.add(each);
    await records.pipelines.update('p', (record) => ({ record: { ...record, desired } }));
    await records.conversions.update('c', (record) => ({ record: { ...record, desired } }));
    records.clock.advance(15);
    expect(await run()).toEqual(nothing);
    records.clock.advance(0.001);
    expect(await run()).toEqual({ ...nothing, woken: ['p', 'c'] });
    expect(orchestrations.woken.toSorted()).toEqual(['conversion c', 'pipeline p']);
  });

  test.each<[string, number, number, (record: SessionRecord) => SessionRecord]>([
    ['a wish', 15, 0, (record) => ({ ...readied(record), desired })],
    ['the end of a lease', 2, 60, readied],
    ['the end of the time for a start', 15, 600, (record) => record],
    ['a machine that is to stop', 15, 0, stopping],
  ])(
    'of sessions that overslept %s are woken, and their machine is stopped, after %i seconds',
    async (_, allowed, due, change) => {
      await running('s', change);
      records.clock.advance(due + allowed);
      expect(await run()).toEqual(nothing);
      records.clock.advance(0.001);
      expect(await run()).toEqual({ ...nothing, woken: ['s'], stoppedMachines: ['s'] });
    },
  );

  test('that do not answer stop no other net: machines go and slots come free', async () => {
    await running('unwanted', (record) => ({ ...readied(record), desired }));
    await running('over', stopped);
    await records.pipelines.create(newPipeline('p'));
    records.clock.advance(16);
    orchestrations.down = true;
    const done = await run();
    expect(done).toMatchObject({ restarted: [], woken: [], releasedSlots: ['over'] });
    expect([...done.stoppedMachines].sort()).toEqual(['over', 'unwanted']);
    expect(done.failures).toHaveLength(2);
    expect(done.failures[0]).toContain('no answer');
  });
});

describe('machines', () => {
  test.each(['stopped', 'failed'] as const)('of a session that has %s go at the first sweep', async (state) => {
    await running('s', (record) => ({ ...record, state, ending }));
    expect(await run()).toMatchObject({ stoppedMachines: ['s'] });
    expect(machines.names).toEqual([]);
  });

  test('that no record knows go when they are more than twenty seconds old: their record may be on its way', async () => {
    machines.put('unknown');
    records.clock.advance(20);
    expect(await run()).toEqual(nothing);
    records.clock.advance(0.001);
    expect(await run()).toMatchObject({ stoppedMachines: ['unknown'] });
  });

  test('are known by the session in their tag, not by their name', async () => {
    await running('s', readied);
    machines.put('another-name', { sessionId: 's' });
    records.clock.advance(30);
    expect(await run()).toEqual(nothing);
  });

  test('of which one cannot be stopped do not keep the others, or the slots', async () => {
    for (const id of ['one', 'two', 'three']) await running(id, stopped);
    machines.unstoppable.add('one');
    const done = await run();
    expect([...done.stoppedMachines].sort()).toEqual(['three', 'two']);
    expect([...done.releasedSlots].sort()).toEqual(['one', 'three', 'two']);
    expect(done.failures).toEqual([expect.stringContaining('one cannot be stopped now')]);
    machines.unstoppable.clear();
    expect(await run()).toMatchObject({ stoppedMachines: ['one'], failures: [] });
  });

  test('that the provider cannot list do not keep orchestrations or slots', async () => {
    await running('over', stopped);
    await records.pipelines.create(newPipeline('p'));
    machines.list = () => {
      throw new Error('the provider does not answer');
    };
    const done = await run();
    expect(done).toMatchObject({ restarted: ['p'], stoppedMachines: [], releasedSlots: ['over'] });
    expect(done.failures).toEqual([expect.stringContaining('the provider does not answer')]);
  });
});

describe('slots', () => {
  test('of sessions that have ended, or never were, come free; those of others stay', async () => {
    await running('runs', readied);
    await running('over', stopped);
    await records.slots.claim('never-was');
    expect([...(await run()).releasedSlots].sort()).toEqual(['never-was', 'over']);
    expect(await records.slots.holders()).toEqual(['runs']);
  });
});

describe('a record that cannot be read', () => {
  test('is told, and keeps no other record, machine or slot from what is due', async () => {
    await running('spoilt', readied);
    await running('over', stopped);
    await records.pipelines.create(newPipeline('p'));
    await records.sessions.create(newSession('lost'));
    await spoil('spoilt');
    const done = await run();
    expect([...done.restarted].sort()).toEqual(['lost', 'p']);
    expect(done).toMatchObject({ stoppedMachines: ['over'], releasedSlots: ['over'] });
    expect(done.failures.length).toBeGreaterThan(0);
    expect(done.failures.join()).toContain('A stored session is not one');
    expect(machines.names).toEqual(['spoilt']);
  });
});

test('what is told of a failure is words, and no stack', async () => {
  orchestrations.down = true;
  await records.pipelines.create(newPipeline('p'));
  expect((await run()).failures).toEqual(['Error: Durable Functions gave no answer']);
});
