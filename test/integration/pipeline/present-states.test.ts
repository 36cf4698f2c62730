import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PubSubError } from '#lib/pubsub';
import { RecordStore } from '#lib/records';
import type { PresentStates } from '../../../lib/pipeline/present-states.ts';
import { newConversion, newPipeline, newSession } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { drain, end, firsts, type LiveGround, openLive, pipelineWith, range, spoil, tell } from './live-ground.ts';

let storage: TestStorage;
let ground: LiveGround;
let states: PresentStates;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openLive(storage.connectionString);
  if (ground.presentStates === undefined) throw new Error('there are no live events');
  states = ground.presentStates;
});

const HOUR = 3600;
/** What was sent again, as `subject sequence`. */
const repeated = () => ground.events.repeated.map(({ event }) => `${event.subject} ${event.data.sequence}`);
const told = () => new Set(ground.events.repeated.map(({ event }) => event.data.id));
/** The numbers of one subject that a client hears which connected before anything was sent again. */
const heard = (subject: string) =>
  ground.events.repeated.filter(({ event }) => event.subject === subject).map(({ event }) => event.data.sequence);

describe('a new connection is told', () => {
  test('the last event of the pipeline, its conversion and its session, unchanged, and no other', async () => {
    await pipelineWith(ground, 'p', 3);
    await ground.conversions.create(newConversion('p'));
    await ground.sessions.create(newSession('p'));
    await ground.sessions.update('p', (record) => ({ record, event: { type: 'lease_renewed', evidence: 'more' } }));
    expect(await states.tell('c-1')).toEqual([]);
    expect(repeated()).toEqual(['/pipelines/p 3', '/conversions/p 1', '/sessions/p 2']);
    const before = ground.events.published.map(({ event }) => event);
    for (const { event, connectionIds } of ground.events.repeated) {
      expect(before).toContainEqual(event);
      expect(connectionIds).toEqual(['c-1']);
    }
  });

  test('no more than its audience may hear, by what the readers are now', async () => {
    await ground.pipelines.create({ ...newPipeline('p'), readers: ['clients'] });
    await ground.conversions.create({ ...newConversion('p'), readers: ['clients'] });
    await ground.pipelines.amend('p', (record) => ({ ...record, readers: ['grace'] }));
    await ground.revocations.revoke('mallory', 'ada');
    await states.tell('c-1');
    const audience = {
      pipelineId: 'p',
      owner: 'ada',
      readers: ['grace'],
      groupIsStale: false,
      keptOut: ['mallory'],
    };
    expect(ground.events.repeated.map((each) => each.audience)).toEqual([audience, audience]);
  });

  test('nothing by the group of a pipeline while somebody is in it perhaps who was taken off the readers', async () => {
    const until = new Date(ground.now().getTime() + 60_000).toISOString();
    await ground.pipelines.create(newPipeline('p'));
    await ground.pipelines.amend('p', (record) => ({ ...record, formerReaders: [{ subject: 'eve', until }] }));
    await states.tell('c-1');
    ground.clock.advance(60);
    await states.tell('c-2');
    expect(ground.events.repeated.map(({ audience }) => audience.groupIsStale)).toEqual([true, false]);
  });

  test('of what is not over, however long ago it changed, and of what ended within the last hour', async () => {
    for (const id of ['old', 'old and over', 'over']) await ground.pipelines.create(newPipeline(id));
    await end(ground, 'old and over');
    ground.clock.advance(1);
    await end(ground, 'over');
    ground.clock.advance(HOUR);
    expect(await states.tell('c-1')).toEqual([]);
    expect(told()).toEqual(new Set(['over', 'old']));
    expect(ground.events.repeated[0]?.event.data).toMatchObject({ id: 'over', state: 'stopped', reason: 'user_stop' });
  });

  test('of a hundred pipelines, those that changed last, and of these first', async () => {
    const ids = range(1, 110).map((number) => `p-${number}`);
    for (const id of ids) {
      ground.clock.advance(1);
      await ground.pipelines.create(newPipeline(id));
    }
    ground.clock.advance(1);
    await tell(ground, 'p-1');
    await states.tell('c-1');
    const order = ground.events.repeated.map(({ event }) => event.data.id);
    // Eight are told side by side.
    expect(order.slice(0, 8)).toContain('p-1');
    expect(new Set(order)).toEqual(new Set(['p-1', ...ids.slice(-99)]));
  });

  test('with two requests at a time at most', async () => {
    for (const number of range(1, 20)) await ground.pipelines.create(newPipeline(`p-${number}`));
    const going = Promise.withResolvers<void>();
    let most = 0;
    let now = 0;
    const repeat = ground.events.repeat.bind(ground.events);
    ground.events.repeat = async (...given) => {
      now += 1;
      most = Math.max(most, now);
      await going.promise;
      await repeat(...given);
      now -= 1;
    };
    const telling = states.tell('c-1');
    await vi.waitFor(() => expect(now).toBe(2));
    going.resolve();
    await telling;
    expect(most).toBe(2);
    expect(ground.events.repeated).toHaveLength(20);
  });
});

describe('what is not published yet', () => {
  test('follows the last event that is, so that nobody misses what a drain sends later as well', async () => {
    await pipelineWith(ground, 'p', 2);
    ground.events.state = 'lost';
    await tell(ground, 'p', 3);
    ground.events.state = 'well';
    await states.tell('c-1');
    expect(heard('/pipelines/p')).toEqual([2, 3, 4, 5]);
    await drain(ground, 'pipeline', 'p');
    expect(firsts([...heard('/pipelines/p'), ...ground.events.sequences('/pipelines/p').slice(2)])).toEqual(
      range(2, 5),
    );
  });

  test('is left to the drain where it is a backlog: what is heard leaves nothing out', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'lost';
    await tell(ground, 'p', 49);
    ground.events.state = 'well';
    await states.tell('c-1');
    expect(heard('/pipelines/p')).toEqual(range(1, 11));
    await drain(ground, 'pipeline', 'p');
    expect(firsts([...heard('/pipelines/p'), ...ground.events.sequences('/pipelines/p').slice(1)])).toEqual(
      range(1, 50),
    );
  });

  test('of a record that nothing was published of is told from its first event', async () => {
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 2);
    ground.events.state = 'well';
    await states.tell('c-1');
    expect(heard('/pipelines/p')).toEqual([1, 2]);
  });
});

describe('connections that come at once', () => {
  /** Lets one round begin and stand still; whoever comes now shares the next one. */
  async function during(work: () => readonly Promise<unknown>[]): Promise<void> {
    const going = Promise.withResolvers<void>();
    const repeat = ground.events.repeat.bind(ground.events);
    ground.events.repeat = async (...given) => {
      await going.promise;
      await repeat(...given);
    };
    const first = states.tell('first');
    await new Promise((resolve) => setImmediate(resolve));
    const others = work();
    going.resolve();
    await Promise.all([first, ...others]);
  }
  const sends = () => ground.events.repeated.map(({ connectionIds }) => connectionIds);

  test('share a round with whoever comes while another runs, also when they are told twice to be told', async () => {
    await ground.pipelines.create(newPipeline('p'));
    await during(() => ['a', 'b', 'a'].map((id) => states.tell(id)));
    expect(sends()).toEqual([['first'], ['a', 'b']]);
    await states.tell('later');
    expect(sends().at(-1)).toEqual(['later']);
  });

  test('cost no more than one round for everybody, however many there are', async () => {
    await ground.pipelines.create(newPipeline('p'));
    await during(() => range(1, 1000).map((number) => states.tell(`c-${number}`)));
    expect(sends()).toEqual([['first'], 'everyone']);
  });

  test('have what failed told to one of them', async () => {
    await ground.pipelines.create(newPipeline('p'));
    let answers: readonly Promise<readonly string[]>[] = [];
    await during(() => {
      ground.events.state = 'lost';
      answers = ['a', 'b', 'c'].map((id) => states.tell(id));
      return answers;
    });
    expect((await Promise.all(answers)).map(({ length }) => length)).toEqual([1, 0, 0]);
  });
});

describe('what fails', () => {
  test('keeps no other pipeline from being told, and is told in words', async () => {
    for (const id of ['p', 'q', 'r']) await ground.pipelines.create(newPipeline(id));
    const repeat = ground.events.repeat.bind(ground.events);
    ground.events.repeat = async (event, ...given) => {
      if (event.data.id === 'q') throw new PubSubError('refused', 'it does not like it');
      await repeat(event, ...given);
    };
    expect(await states.tell('c-1')).toEqual([expect.stringMatching(/pipeline q: .*it does not like it/)]);
    expect(told()).toEqual(new Set(['p', 'r']));
  });

  test('is the end of the round where Web PubSub cannot be reached or wants to be left alone', async () => {
    for (const number of range(1, 30)) await ground.pipelines.create(newPipeline(`p-${number}`));
    for (const code of ['unreachable', 'throttled'] as const) {
      let tries = 0;
      ground.events.repeat = async () => {
        tries += 1;
        throw new PubSubError(code, 'not now');
      };
      expect(await states.tell('c-1')).toHaveLength(30);
      expect(tries).toBeLessThanOrEqual(8);
    }
  });

  test('has commits pause where Web PubSub cannot be reached, as long as after one of theirs; where it refuses, not', async () => {
    for (const number of range(1, 20)) await ground.pipelines.create(newPipeline(`p-${number}`));
    const { tries } = ground.events;
    const repeat = vi.spyOn(ground.events, 'repeat').mockRejectedValue(new PubSubError('refused', 'too long'));
    await states.tell('c-1');
    await tell(ground, 'p-1');
    expect(ground.events.tries).toBe(tries + 1);
    repeat.mockRejectedValue(new PubSubError('unreachable', 'not now'));
    await states.tell('c-1');
    ground.clock.advance(1.999);
    await tell(ground, 'p-1');
    expect(ground.events.tries).toBe(tries + 1);
    ground.clock.advance(0.001);
    await tell(ground, 'p-1');
    expect(ground.events.sequences('/pipelines/p-1')).toEqual(range(1, 4));
  });

  test('may be a record that cannot be read: the others are told', async () => {
    for (const id of ['p', 'q']) await ground.pipelines.create(newPipeline(id));
    await spoil(ground, 'q');
    expect(await states.tell('c-1')).not.toEqual([]);
    expect(told()).toEqual(new Set(['p']));
  });

  test('may be the storage: the next connection is told', async () => {
    await ground.pipelines.create(newPipeline('p'));
    const read = vi.spyOn(RecordStore.prototype, 'history').mockRejectedValue(new Error('storage is away'));
    expect(await states.tell('c-1')).toEqual([expect.stringContaining('storage is away')]);
    read.mockRestore();
    expect(await states.tell('c-2')).toEqual([]);
    expect(told()).toEqual(new Set(['p']));
  });

  test('may be a Web PubSub that never answers: a round is over after ten seconds', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'silent';
    const begun = performance.now();
    expect(await states.tell('c-1')).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(12_000);
  });
});

describe('a Web PubSub that commits have found', () => {
  test('too busy for thirty seconds is not asked before they are over, not even in the middle of a round', async () => {
    for (const number of range(1, 30)) await ground.pipelines.create(newPipeline(`p-${number}`));
    const repeat = ground.events.repeat.bind(ground.events);
    const busy = Promise.withResolvers<void>();
    ground.events.repeat = async (...given) => {
      await busy.promise;
      await repeat(...given);
    };
    const telling = states.tell('c-1');
    ground.events.state = 'throttling';
    await tell(ground, 'p-1');
    ground.events.state = 'well';
    busy.resolve();
    expect(await telling).not.toEqual([]);
    const { length } = ground.events.repeated;
    expect(length).toBeLessThanOrEqual(8);
    ground.clock.advance(29.999);
    expect(await states.tell('c-2')).toEqual([expect.stringContaining('wishes not to be asked before')]);
    expect(ground.events.repeated).toHaveLength(length);
    ground.clock.advance(0.001);
    expect(await states.tell('c-3')).toEqual([]);
    expect(told().size).toBe(30);
  });

  test('lost is asked all the same: who connects has found it well, and what it takes ends the pause of commits', async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'lost';
    await tell(ground, 'p');
    ground.events.state = 'well';
    expect(await states.tell('c-1')).toEqual([]);
    expect(heard('/pipelines/p')).toEqual([1, 2]);
    await tell(ground, 'p');
    expect(ground.events.sequences('/pipelines/p')).toEqual([1, 2, 3]);
  });
});
