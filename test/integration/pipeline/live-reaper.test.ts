import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sweep } from '#lib/pipeline';
import { Revocations } from '#lib/records';
import { FakeMachines } from '../../support/fake-machines.ts';
import { FakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { at, newConversion, newPipeline, newSession } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { end, type LiveGround, openLive, pipelineWith, range, tell } from './live-ground.ts';

let storage: TestStorage;
let ground: LiveGround;
let machines: FakeMachines;
let revocations: Revocations;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openLive(storage.connectionString, { CLIENT_TOKEN_MAX_MINUTES: '30' });
  machines = new FakeMachines(ground.now);
  revocations = new Revocations(ground.table, ground.now);
});

const orchestrations = new FakeOrchestrations();
const run = () => sweep({ ...ground, machines, orchestrations, revocations });
/** A machine that has to go at the first sweep. */
const leaveOrphan = async () => {
  await ground.quiet.sessions.create(newSession('over'));
  const ending = { reason: 'host_lost', evidence: '', at: at(0).toISOString() } as const;
  await ground.quiet.sessions.update('over', (record) => ({ record: { ...record, state: 'failed', ending } }));
  machines.put('over');
};

describe('events that no commit could publish', () => {
  test('are published by the next sweep, of every kind of record, also of those that are over', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 3);
    await ground.sessions.create(newSession('s'));
    await ground.conversions.create(newConversion('c'));
    await pipelineWith(ground, 'over', 2);
    await end(ground, 'over');
    ground.events.state = 'well';
    const { published, failures } = await run();
    expect({ published: [...published].sort(), failures }).toEqual({
      published: ['c', 'over', 'p', 's'],
      failures: [],
    });
    expect(ground.events.sequences('/pipelines/p')).toEqual(range(1, 3));
    expect(ground.events.sequences('/pipelines/over')).toEqual(range(1, 3));
    expect(await ground.outboxes.list('pipeline')).toEqual(['p']);
    expect((await run()).published).toEqual([]);
  });

  test('of a hundred records at once all arrive, in order each', async () => {
    ground.events.state = 'lost';
    const ids = range(1, 100).map((number) => `pipeline-${number}`);
    await Promise.all(ids.map((id) => pipelineWith(ground, id, 3)));
    ground.events.state = 'well';
    expect((await run()).published).toHaveLength(100);
    for (const id of ids) expect(ground.events.sequences(`/pipelines/${id}`)).toEqual(range(1, 3));
  });

  test('are published eight records at a time, of whatever kind they are', async () => {
    ground.events.state = 'lost';
    const ids = range(1, 12).map((number) => `p-${number}`);
    await Promise.all(
      ids.flatMap((id) => [
        pipelineWith(ground, id, 2),
        ground.conversions.create(newConversion(id)),
        ground.sessions.create(newSession(id)),
      ]),
    );
    ground.events.state = 'well';
    // What commits tried at the same time before is another matter.
    ground.events.mostInAll = 0;
    ground.events.milliseconds = 20;
    expect((await run()).published).toHaveLength(36);
    expect(ground.events.mostInAll).toBeGreaterThan(1);
    expect(ground.events.mostInAll).toBeLessThanOrEqual(8);
  });

  test('of a pipeline that is over come after those of its conversion and its session', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 2);
    await ground.conversions.create(newConversion('p'));
    await ground.sessions.create(newSession('p'));
    await end(ground, 'p');
    ground.events.state = 'well';
    await run();
    const subjects = [...new Set(ground.events.published.map(({ event }) => event.subject))];
    expect({ count: subjects.length, last: subjects.at(-1) }).toEqual({ count: 3, last: '/pipelines/p' });
  });

  test('wait for as long as Web PubSub wishes to be left alone, and are told as undone meanwhile', async () => {
    ground.events.state = 'lost';
    const ids = range(1, 30).map((number) => `p-${number}`);
    await Promise.all(ids.map((id) => pipelineWith(ground, id, 1)));
    ground.events.state = 'throttling';
    const { tries } = ground.events;
    const { published, failures } = await run();
    // Those that were on their way already when it said so.
    expect(ground.events.tries - tries).toBeLessThanOrEqual(8);
    expect({ published, undone: failures.length }).toEqual({ published: [], undone: 30 });
    ground.events.state = 'well';
    ground.clock.advance(29.999);
    expect((await run()).failures.join()).toContain(at(30).toISOString());
    expect(ground.events.published).toEqual([]);
    ground.clock.advance(0.001);
    expect((await run()).published).toHaveLength(30);
  });

  test('while Web PubSub is lost are told as undone, and keep no machine from being stopped', async () => {
    await leaveOrphan();
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 2);
    const { stoppedMachines, published, failures } = await run();
    expect({ stoppedMachines, published }).toEqual({ stoppedMachines: ['over'], published: [] });
    expect(failures).toEqual([expect.stringContaining('Web PubSub gives no answer')]);
  });

  test('while it never answers keep a sweep for ten seconds at most, after everything else is done', async () => {
    await leaveOrphan();
    ground.events.state = 'lost';
    await Promise.all(range(1, 12).map((number) => pipelineWith(ground, `p-${number}`, 2)));
    await revocations.revoke('mallory', 'ada');
    ground.events.state = 'silent';
    const begun = performance.now();
    const sweeping = run();
    await expect.poll(() => machines.names).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect((await sweeping).failures.join()).toContain('timeout');
    expect(performance.now() - begun).toBeLessThan(12_000);
    const { tries } = ground.events;
    ground.events.state = 'well';
    await ground.outboxes.list('pipeline');
    // Nothing that the sweep has left goes on without it.
    expect(ground.events.tries).toBe(tries);
  });
});

describe('somebody who is revoked', () => {
  test('loses every connection at each sweep, for as long as a token of theirs may live and clocks may differ', async () => {
    await revocations.revoke('mallory', 'ada');
    for (const minutes of [0, 44, 0.999]) {
      ground.clock.advance(minutes * 60);
      await run();
    }
    expect(ground.events.asked).toEqual(['close mallory', 'close mallory', 'close mallory']);
    ground.clock.advance(0.06);
    await run();
    expect(ground.events.asked).toHaveLength(3);
  });

  test('loses them also while Web PubSub wishes to be left alone: that somebody listens who may not is worse', async () => {
    ground.events.state = 'throttling';
    await pipelineWith(ground, 'p', 1);
    ground.events.state = 'well';
    await revocations.revoke('mallory', 'ada');
    await run();
    expect({ asked: ground.events.asked, published: ground.events.published }).toEqual({
      asked: ['close mallory'],
      published: [],
    });
  });

  test('is left alone once that is taken back', async () => {
    await revocations.revoke('mallory', 'ada');
    await revocations.restore('mallory');
    await run();
    expect(ground.events.asked).toEqual([]);
  });

  test('and cannot be closed out keeps nobody else in, nor what is to be published', async () => {
    await pipelineWith(ground.quiet, 'none', 1);
    await pipelineWith(ground, 'p', 1);
    await tell(ground.quiet, 'p');
    for (const subject of ['mallory', 'trudy']) await revocations.revoke(subject, 'ada');
    const close = ground.events.closeUser.bind(ground.events);
    ground.events.closeUser = async (subject) => {
      if (subject === 'mallory') throw new Error('not now');
      await close(subject);
    };
    const { published, failures } = await run();
    expect(ground.events.asked).toEqual(['close trudy']);
    expect({ published, failures }).toEqual({ published: ['p'], failures: ['Error: not now'] });
  });
});

describe('readers who were taken off', () => {
  const former = (subject: string, minutes: number) => ({ subject, until: at(minutes * 60).toISOString() });

  test('are taken out of the group at each sweep until their tokens are over, and of a pipeline that is over no more', async () => {
    await ground.pipelines.create({
      ...newPipeline('p'),
      readers: [],
      formerReaders: [former('bob', 10), former('eve', 5)],
    });
    await ground.pipelines.create({ ...newPipeline('over'), formerReaders: [former('bob', 10)] });
    await end(ground, 'over');
    await run();
    expect(ground.events.asked.sort()).toEqual(['drop bob from p', 'drop eve from p']);
    ground.clock.advance(5 * 60);
    await run();
    expect(ground.events.asked.slice(2)).toEqual(['drop bob from p']);
    ground.clock.advance(5 * 60);
    await run();
    expect(ground.events.asked).toHaveLength(3);
  });

  test('where they were all Clients, everybody is who is not of the audience', async () => {
    await ground.pipelines.create({ ...newPipeline('p'), readers: ['bob'], formerReaders: [former('clients', 10)] });
    await run();
    expect(ground.events.droppedOthers).toEqual([{ pipelineId: 'p', owner: 'ada', readers: ['bob'] }]);
  });
});

test('a sweep without Web PubSub asks nothing of it', async () => {
  await revocations.revoke('mallory', 'ada');
  await pipelineWith(ground.quiet, 'p', 2);
  const { live: _none, ...rest } = ground;
  const { published, failures } = await sweep({ ...rest, machines, orchestrations, revocations });
  expect({ published, failures, asked: ground.events.asked }).toEqual({ published: [], failures: [], asked: [] });
});
