import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveEvent } from '#lib/api';
import { openRecords as openLiveRecords } from '../../../lib/pipeline/live-events-records.ts';
import { at, newConversion, newPipeline, newSession } from '../../support/records.ts';
import { watchRequests } from '../../support/sent-requests.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { drain, end, firsts, type LiveGround, openLive, pipelineWith, range, tell } from './live-ground.ts';

let storage: TestStorage;
let ground: LiveGround;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openLive(storage.connectionString);
});

const P = '/pipelines/p';
const publishedUpTo = async (id = 'p') => (await ground.outboxes.read('pipeline', id))?.published;
/** Milliseconds that work takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

describe('what a commit tells', () => {
  test('is published before the commit answers, as a CloudEvent', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.clock.advance(1);
    await end(ground, 'p');
    const common = {
      specversion: '1.0',
      source: `/accounts/${ground.config.STS_ACCOUNT_ID}`,
      type: 'remoterendering.pipeline.state',
      subject: P,
      datacontenttype: 'application/json',
    };
    expect(ground.events.published.map(({ event }) => event)).toEqual([
      { ...common, id: 'pipeline/p/1', time: at(0).toISOString(), data: { id: 'p', state: 'waiting', sequence: 1 } },
      {
        ...common,
        id: 'pipeline/p/2',
        time: at(1).toISOString(),
        data: { id: 'p', state: 'stopped', sequence: 2, reason: 'user_stop', evidence: 'enough' },
      },
    ]);
    for (const { event } of ground.events.published) expect(liveEvent.parse(event)).toEqual(event);
  });

  test('is told of every kind of record, facts as well as states', async () => {
    await ground.conversions.create(newConversion('p'));
    await ground.sessions.create(newSession('p'));
    for (const type of ['lease_renewed', 'lease_warning', 'stop_asked', 'asset'] as const) {
      await ground.sessions.update('p', (record) => ({ record, event: { type, evidence: type } }));
    }
    await ground.sessions.update('p', (record) => ({ record: { ...record, size: 'Premium' } }));
    expect(ground.events.published.map(({ event }) => `${event.type} ${event.subject} ${event.data.sequence}`)).toEqual(
      [
        'remoterendering.conversion.state /conversions/p 1',
        'remoterendering.session.state /sessions/p 1',
        'remoterendering.session.lease_renewed /sessions/p 2',
        'remoterendering.session.lease_warning /sessions/p 3',
        'remoterendering.session.stop_asked /sessions/p 4',
        'remoterendering.session.asset /sessions/p 5',
      ],
    );
  });

  test('reaches who may read the pipeline now, also of its conversion and session, which know who could at their creation', async () => {
    await ground.sessions.create({ ...newSession('alone'), readers: ['grace'] });
    await ground.pipelines.create({ ...newPipeline('p'), readers: ['clients'] });
    await ground.sessions.create({ ...newSession('p'), readers: ['clients'] });
    await ground.pipelines.update('p', (record) => ({ record: { ...record, readers: ['grace'] } }));
    await ground.conversions.create({ ...newConversion('p'), readers: ['clients'] });
    await tell(ground, 'p');
    expect(ground.events.published.map(({ event, audience }) => [event.subject, audience])).toEqual([
      ['/sessions/alone', { pipelineId: 'alone', owner: 'ada', readers: ['grace'] }],
      [P, { pipelineId: 'p', owner: 'ada', readers: ['clients'] }],
      ['/sessions/p', { pipelineId: 'p', owner: 'ada', readers: ['clients'] }],
      ['/conversions/p', { pipelineId: 'p', owner: 'ada', readers: ['grace'] }],
      [P, { pipelineId: 'p', owner: 'ada', readers: ['grace'] }],
    ]);
  });

  test('comes in order and once, however many commit at once', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.milliseconds = 3;
    await Promise.all(range(1, 25).map(() => tell(ground, 'p')));
    expect(ground.events.sequences(P)).toEqual(range(1, 26));
    expect(ground.events.mostAtOnce).toBe(1);
    expect(await publishedUpTo()).toBe(26);
  });

  test('costs no read of what was published before', async () => {
    await pipelineWith(ground, 'p', 2);
    using requests = watchRequests();
    await tell(ground, 'p', 3);
    // Each reads the record, writes it with its event, and moves the cursor.
    expect(requests.count('')).toBe(9);
    expect(ground.events.sequences(P)).toEqual(range(1, 5));
  });
});

describe('an outbox', () => {
  test('moves with what is published, and goes with the record’s end', async () => {
    await pipelineWith(ground, 'p', 3);
    expect(await publishedUpTo()).toBe(3);
    await end(ground, 'p');
    expect(await publishedUpTo()).toBeUndefined();
    expect(await ground.live.feed.undrained('pipeline')).toEqual([]);
  });

  test('stays after the record’s end for as long as something is to be told', async () => {
    await pipelineWith(ground, 'p', 2);
    ground.events.state = 'lost';
    await end(ground, 'p');
    expect(await ground.live.feed.undrained('pipeline')).toEqual(['p']);
    ground.events.state = 'well';
    expect(await drain(ground, 'pipeline', 'p')).toBe(1);
    expect(await ground.live.feed.undrained('pipeline')).toEqual([]);
    expect(ground.events.sequences(P)).toEqual([1, 2, 3]);
  });

  test('whose removal was lost after all was told is removed by the next drain, which tells nothing', async () => {
    await pipelineWith(ground, 'p', 2);
    await end(ground.quiet, 'p');
    await ground.outboxes.advance('pipeline', 'p', 3);
    expect(await drain(ground, 'pipeline', 'p')).toBe(0);
    expect(await publishedUpTo()).toBeUndefined();
    expect(ground.events.tries).toBe(2);
  });

  test('that a record from before has not keeps it from nothing, and nothing is told of it', async () => {
    await pipelineWith(ground.quiet, 'p', 3);
    await tell(ground, 'p', 2);
    expect((await end(ground, 'p')).sequence).toBe(6);
    expect(await drain(ground, 'pipeline', 'p')).toBe(0);
    expect(ground.events.tries).toBe(0);
  });

  test('is not there, and grows no backlog, where nobody is to be told', async () => {
    const { live, ...records } = openLiveRecords(ground.table, ground.config, ground.now, undefined);
    expect(live).toBeUndefined();
    await pipelineWith(records, 'p', 3);
    expect(await ground.outboxes.list('pipeline')).toEqual([]);
  });
});

describe('a Web PubSub that is lost', () => {
  test('fails no commit, is left alone for two seconds, and then gets everything in order', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'lost';
    await tell(ground, 'p', 10);
    await pipelineWith(ground, 'other', 3);
    expect(ground.events.tries).toBe(2);
    ground.events.state = 'well';
    ground.clock.advance(1.999);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual([1]);
    ground.clock.advance(0.001);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 13));
    expect(await publishedUpTo()).toBe(13);
  });

  test('and stays so is asked by one commit for all after each pause, and less and less often', async () => {
    for (const id of ['p', 'q', 'r']) await ground.pipelines.create(newPipeline(id));
    ground.events.state = 'lost';
    await tell(ground, 'p');
    const tries = async (seconds: number) => {
      ground.clock.advance(seconds);
      const before = ground.events.tries;
      await Promise.all(['p', 'q', 'r'].map((id) => tell(ground, id)));
      return ground.events.tries - before;
    };
    expect(await tries(2)).toBe(1);
    expect(await tries(3.999)).toBe(0);
    expect(await tries(0.001)).toBe(1);
    ground.events.state = 'well';
    expect(await tries(8)).toBeGreaterThan(0);
    // Whoever left it to the probe tells what it left with its next event; from then on each tells one.
    await tries(0);
    expect(await tries(0)).toBe(3);
  });

  test('is asked by a drain also while commits leave it alone', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'lost';
    await tell(ground, 'p', 5);
    await expect(drain(ground, 'pipeline', 'p')).rejects.toThrow('Web PubSub gives no answer');
    ground.events.state = 'well';
    expect(await drain(ground, 'pipeline', 'p')).toBe(5);
    expect(ground.events.sequences(P)).toEqual(range(1, 6));
  });

  test('that fails in the middle of a drain goes on where it stopped, and commits are not held off', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 6);
    ground.clock.advance(2);
    ground.events.state = 'well';
    const publish = ground.events.publish.bind(ground.events);
    ground.events.publish = async (event, audience) => {
      if (event.data.sequence === 4) ground.events.state = 'lost';
      await publish(event, audience);
    };
    await expect(drain(ground, 'pipeline', 'p')).rejects.toThrow('no answer');
    expect(await publishedUpTo()).toBe(3);
    ground.events.publish = publish;
    ground.events.state = 'well';
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 7));
  });

  test('that never answers slows one commit by a second, and those that come after it by nothing', async () => {
    await pipelineWith(ground, 'p', 2);
    await pipelineWith(ground, 'other', 2);
    ground.events.state = 'silent';
    const first = await timed(() => tell(ground, 'p'));
    expect(first).toBeGreaterThan(900);
    expect(first).toBeLessThan(1500);
    const tries = ground.events.tries;
    expect(await timed(() => Promise.all([tell(ground, 'p'), tell(ground, 'other')]))).toBeLessThan(500);
    expect(ground.events.tries).toBe(tries);
    ground.events.state = 'well';
    ground.clock.advance(2);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 5));
  });

  test('that never answers holds commits at once up together: none for much more than a second', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'silent';
    expect(await timed(() => Promise.all(range(1, 5).map(() => tell(ground, 'p'))))).toBeLessThan(2000);
    expect((await ground.quiet.pipelines.get('p')).sequence).toBe(6);
  });

  test('and comes and goes: whatever happens, each number arrives, and none before the one before it', async () => {
    const states = fc.constantFrom('well', 'lost', 'forgetful');
    const happening = fc.record({ state: states, commits: fc.nat({ max: 3 }), seconds: fc.constantFrom(0, 1, 2, 5) });
    let pipelines = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 6 }), async (happenings) => {
        pipelines += 1;
        const id = `pipeline-${pipelines}`;
        ground.clock.advance(10);
        await ground.pipelines.create(newPipeline(id));
        for (const { state, commits, seconds } of happenings) {
          ground.events.state = state;
          ground.clock.advance(seconds);
          await tell(ground, id, commits);
        }
        ground.events.state = 'well';
        const { sequence } = await end(ground, id);
        await drain(ground, 'pipeline', id);
        expect(firsts(ground.events.sequences(`/pipelines/${id}`))).toEqual(range(1, sequence));
        expect(await publishedUpTo(id)).toBeUndefined();
      }),
      { numRuns: 15 },
    );
  });
});

describe('more events than EVENT_BACKLOG', () => {
  beforeEach(async () => {
    ground = await openLive(storage.connectionString, { EVENT_BACKLOG: '5' });
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'lost';
  });

  test('as many arrive one by one', async () => {
    await tell(ground, 'p', 5);
    ground.events.state = 'well';
    expect(await drain(ground, 'pipeline', 'p')).toBe(5);
    expect(ground.events.sequences(P)).toEqual(range(1, 6));
  });

  test('collapse into one with the present state and the latest number; what follows comes one by one', async () => {
    await tell(ground, 'p', 5);
    const last = await ground.pipelines.update('p', (record) => ({ record: { ...record, state: 'converting' } }));
    ground.events.state = 'well';
    expect(await drain(ground, 'pipeline', 'p')).toBe(1);
    expect(ground.events.published.at(-1)?.event).toMatchObject({
      id: 'pipeline/p/7',
      type: 'remoterendering.pipeline.collapsed',
      time: last.updatedAt,
      data: { state: 'converting', sequence: 7 },
    });
    expect(await publishedUpTo()).toBe(7);
    ground.clock.advance(2);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual([1, 7, 8]);
  });

  test('collapse in a commit too, and tell why the record ended where it did', async () => {
    await tell(ground, 'p', 8);
    ground.events.state = 'well';
    ground.clock.advance(2);
    await end(ground, 'p');
    expect(ground.events.published.at(-1)?.event).toMatchObject({
      type: 'remoterendering.pipeline.collapsed',
      data: { state: 'stopped', sequence: 10, reason: 'user_stop', evidence: 'enough' },
    });
    expect(await publishedUpTo()).toBeUndefined();
  });
});

describe('a process that dies', () => {
  test('after it has published and before the cursor moved is repeated by another, in order', async () => {
    await pipelineWith(ground, 'p', 3);
    ground.events.state = 'lost';
    await tell(ground, 'p', 3);
    ground.events.state = 'forgetful';
    await expect(drain(ground, 'pipeline', 'p')).rejects.toThrow('reset');
    ground.events.state = 'well';
    expect(await drain(ground.process(), 'pipeline', 'p')).toBe(3);
    expect(ground.events.sequences(P)).toEqual([1, 2, 3, 4, 4, 5, 6]);
  });

  test('between its commit and the publishing leaves the event to the next commit of another', async () => {
    await pipelineWith(ground, 'p', 2);
    await tell(ground.quiet, 'p', 2);
    await tell(ground.process(), 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 5));
  });

  test('is followed by one that knows nothing yet, and repeats nothing', async () => {
    await pipelineWith(ground, 'p', 4);
    const next = ground.process();
    await tell(next, 'p', 2);
    await tell(ground, 'p', 2);
    await tell(next, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 9));
  });
});

describe('two processes that drain one record at once', () => {
  test('repeat, but miss nothing and keep the order; the cursor ends where they did', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 20);
    ground.events.state = 'well';
    ground.events.milliseconds = 2;
    await Promise.all([drain(ground, 'pipeline', 'p'), drain(ground.process(), 'pipeline', 'p')]);
    expect(firsts(ground.events.sequences(P))).toEqual(range(1, 20));
    expect(await publishedUpTo()).toBe(20);
  });

  test('while both commit to it, up to its end', async () => {
    const other = ground.process();
    await ground.pipelines.create(newPipeline('p'));
    ground.events.milliseconds = 2;
    await Promise.all([ground, other].map((one) => tell(one, 'p', 10)));
    await end(other, 'p');
    await drain(ground, 'pipeline', 'p');
    expect(firsts(ground.events.sequences(P))).toEqual(range(1, 22));
    expect(await publishedUpTo()).toBeUndefined();
  });

  test('in one process takes turns, so that nothing is repeated', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 10);
    ground.events.state = 'well';
    ground.events.milliseconds = 2;
    ground.clock.advance(2);
    await Promise.all([drain(ground, 'pipeline', 'p'), tell(ground, 'p'), drain(ground, 'pipeline', 'p')]);
    expect(ground.events.mostAtOnce).toBe(1);
    expect(ground.events.sequences(P)).toEqual(range(1, 11));
  });
});

test('a record that cannot be read fails its own drain alone', async () => {
  ground.events.state = 'lost';
  await pipelineWith(ground, 'p', 2);
  ground.events.state = 'well';
  for await (const { partitionKey = '', rowKey = '' } of ground.table.listEntities()) {
    if (rowKey.startsWith('r~')) await ground.table.updateEntity({ partitionKey, rowKey, document: '{}' }, 'Replace');
  }
  await expect(drain(ground, 'pipeline', 'p')).rejects.toMatchObject({ code: 'unreadable' });
  ground.clock.advance(2);
  await pipelineWith(ground, 'other', 2);
  expect(ground.events.sequences('/pipelines/other')).toEqual([1, 2]);
});
