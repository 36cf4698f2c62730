import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { liveEvent } from '#lib/api';
import { openRecords as openLiveRecords } from '../../../lib/pipeline/live-events-records.ts';
import { at, newConversion, newPipeline, newSession } from '../../support/records.ts';
import { watchRequests } from '../../support/sent-requests.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { drain, end, firsts, type LiveGround, openLive, pipelineWith, range, spoil, tell } from './live-ground.ts';

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
    expect(ground.events.published.map(({ event, audience }) => [event.subject, audience])).toMatchObject([
      ['/sessions/alone', { pipelineId: 'alone', owner: 'ada', readers: ['grace'] }],
      [P, { pipelineId: 'p', owner: 'ada', readers: ['clients'] }],
      ['/sessions/p', { pipelineId: 'p', owner: 'ada', readers: ['clients'] }],
      ['/conversions/p', { pipelineId: 'p', owner: 'ada', readers: ['grace'] }],
      [P, { pipelineId: 'p', owner: 'ada', readers: ['grace'] }],
    ]);
  });

  test('reaches nobody by the group of a pipeline while somebody comes back to it perhaps who was taken off the readers', async () => {
    const until = new Date(ground.now().getTime() + 60_000).toISOString();
    await ground.pipelines.create({ ...newPipeline('p'), readers: [], formerReaders: [{ subject: 'eve', until }] });
    await ground.sessions.create(newSession('p'));
    ground.clock.advance(60);
    await tell(ground, 'p');
    expect(ground.events.published.map(({ event, audience }) => [event.subject, audience.groupIsStale])).toEqual([
      [P, true],
      ['/sessions/p', true],
      [P, false],
    ]);
  });

  test('comes in order and once, however many commit at once', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.milliseconds = 3;
    // Few enough that a busy computer is done with them in the second that a commit waits for its event.
    await Promise.all(range(1, 10).map(() => tell(ground, 'p')));
    expect(ground.events.sequences(P)).toEqual(range(1, 11));
    expect(ground.events.mostAtOnce).toBe(1);
    expect(await publishedUpTo()).toBe(11);
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
    const { live, ...records } = openLiveRecords(
      ground.table,
      ground.config,
      ground.now,
      undefined,
      ground.revocations,
    );
    expect(live).toBeUndefined();
    await pipelineWith(records, 'p', 3);
    expect(await ground.outboxes.list('pipeline')).toEqual([]);
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
  await spoil(ground, 'p');
  await expect(drain(ground, 'pipeline', 'p')).rejects.toMatchObject({ code: 'unreadable' });
  ground.clock.advance(2);
  await pipelineWith(ground, 'other', 2);
  expect(ground.events.sequences('/pipelines/other')).toEqual([1, 2]);
});
