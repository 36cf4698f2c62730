import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newPipeline, newSession } from '../../support/records.ts';
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
/** Milliseconds that work takes. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

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

  test('and is back gets what all records have left, of the commit that found it', async () => {
    const ids = range(1, 20).map((number) => `p-${number}`);
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 1);
    await Promise.all(ids.map((id) => pipelineWith(ground, id, 3)));
    await ground.sessions.create(newSession('p'));
    await end(ground, 'p-1');
    ground.events.state = 'well';
    ground.events.milliseconds = 3;
    ground.clock.advance(2);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual([1, 2]);
    expect(ground.events.sequences('/sessions/p')).toEqual([1]);
    expect(ground.events.sequences('/pipelines/p-1')).toEqual(range(1, 4));
    for (const id of ids.slice(1)) expect(ground.events.sequences(`/pipelines/${id}`)).toEqual(range(1, 3));
    expect(ground.events.mostInAll).toBeLessThanOrEqual(8);
  });

  test('and is back slowly keeps no commit for more than its second; what one has no time for, the next ones take up', async () => {
    const ids = range(1, 60).map((number) => `p-${number}`);
    await pipelineWith(ground, 'p', 1);
    ground.events.state = 'lost';
    await Promise.all(ids.map((id) => pipelineWith(ground, id, 1)));
    ground.events.state = 'well';
    ground.events.milliseconds = 150;
    ground.clock.advance(2);
    expect(await timed(() => tell(ground, 'p'))).toBeLessThan(1900);
    const told = () => ids.filter((id) => ground.events.sequences(`/pipelines/${id}`).length > 0).length;
    expect(told()).toBeGreaterThan(0);
    expect(told()).toBeLessThan(60);
    ground.events.milliseconds = 3;
    const tellAgain = async () => {
      await tell(ground, 'p');
      return told();
    };
    await expect.poll(tellAgain, { timeout: 10_000 }).toBe(60);
  });

  test('and goes again while it gets what was left is left alone again, and gets all of it later', async () => {
    const ids = range(1, 20).map((number) => `p-${number}`);
    ground.events.state = 'lost';
    await pipelineWith(ground, 'p', 1);
    await Promise.all(ids.map((id) => pipelineWith(ground, id, 2)));
    const publish = ground.events.publish.bind(ground.events);
    ground.events.publish = async (event, audience) => {
      if (ground.events.published.length === 12) ground.events.state = 'lost';
      await publish(event, audience);
    };
    ground.events.state = 'well';
    ground.clock.advance(2);
    await tell(ground, 'p');
    const { tries } = ground.events;
    await tell(ground, 'p');
    expect(ground.events.tries).toBe(tries);
    ground.events.publish = publish;
    ground.events.state = 'well';
    ground.clock.advance(20);
    await tell(ground, 'p');
    for (const id of ids) expect(firsts(ground.events.sequences(`/pipelines/${id}`))).toEqual([1, 2]);
    expect(ground.events.sequences(P)).toEqual(range(1, 4));
  });

  test('and is back gets nothing of a record that cannot be read, which is tried once and holds nobody up', async () => {
    await pipelineWith(ground, 'p', 1);
    ground.events.state = 'lost';
    await pipelineWith(ground, 'bad', 2);
    await pipelineWith(ground, 'good', 2);
    await spoil(ground, 'bad');
    ground.events.state = 'well';
    ground.clock.advance(2);
    await tell(ground, 'p');
    expect(ground.events.sequences('/pipelines/good')).toEqual([1, 2]);
    using requests = watchRequests();
    await tell(ground, 'p');
    // The record read, written, and the cursor moved.
    expect(requests.count('')).toBe(3);
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
    expect(first).toBeLessThan(1900);
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

describe('a Web PubSub that wishes to be left alone for thirty seconds', () => {
  beforeEach(async () => {
    await ground.pipelines.create(newPipeline('p'));
    ground.events.state = 'throttling';
    await tell(ground, 'p');
    ground.events.state = 'well';
    ground.events.tries = 0;
  });

  test('is asked by no commit and no drain before they are over, and gets all then', async () => {
    ground.clock.advance(29.999);
    await tell(ground, 'p', 2);
    await pipelineWith(ground, 'other', 2);
    await expect(drain(ground, 'pipeline', 'p')).rejects.toMatchObject({ code: 'throttled', retryAfterSeconds: 1 });
    expect(ground.events.tries).toBe(0);
    ground.clock.advance(0.001);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 5));
    expect(ground.events.sequences('/pipelines/other')).toEqual([1, 2]);
  });

  test('is left alone also where what was on its way before goes through', async () => {
    await pipelineWith(ground, 'other', 1);
    ground.clock.advance(30);
    ground.events.milliseconds = 100;
    const onItsWay = drain(ground, 'pipeline', 'other');
    await expect.poll(() => ground.events.tries).toBe(1);
    ground.events.state = 'throttling';
    await tell(ground, 'p');
    await onItsWay;
    expect(ground.events.sequences('/pipelines/other')).toEqual([1]);
    ground.events.state = 'well';
    const { tries } = ground.events;
    ground.clock.advance(29.999);
    await tell(ground, 'p');
    expect(ground.events.tries).toBe(tries);
  });

  test('is taken at its word also in the middle of a drain', async () => {
    await tell(ground.quiet, 'p', 4);
    ground.clock.advance(30);
    const publish = ground.events.publish.bind(ground.events);
    ground.events.publish = async (event, audience) => {
      if (event.data.sequence === 4) ground.events.state = 'throttling';
      await publish(event, audience);
    };
    await expect(drain(ground, 'pipeline', 'p')).rejects.toMatchObject({ code: 'throttled' });
    ground.events.state = 'well';
    ground.events.publish = publish;
    expect(ground.events.sequences(P)).toEqual([1, 2, 3]);
    ground.clock.advance(29);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual([1, 2, 3]);
    ground.clock.advance(1);
    await tell(ground, 'p');
    expect(ground.events.sequences(P)).toEqual(range(1, 8));
  });
});
