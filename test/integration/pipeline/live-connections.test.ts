import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { revoke, setReaders } from '#lib/pipeline';
import { Revocations } from '#lib/records';
import { Blobs } from '#lib/storage';
import { FakeOrchestrations } from '../../support/fake-orchestrations.ts';
import { FakeRendering } from '../../support/fake-rendering.ts';
import { at, newPipeline } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { end, type LiveGround, openLive, pipelineWith, range, tell } from './live-ground.ts';
import { administrator } from './pipeline-parts.ts';

let storage: TestStorage;
let ground: LiveGround;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openLive(storage.connectionString, { CLIENT_TOKEN_MAX_MINUTES: '30' });
});

/** Until when a token that was given out before may be used: its 30 minutes, and a margin of 15. */
const LAST_USE = at(45 * 60).toISOString();

function change(readers: readonly string[], live: LiveGround['live'] | undefined = ground.live) {
  const { connectionString } = storage;
  const blobs = new Blobs({ kind: 'connection-string', connectionString }, ground.now);
  const parts = { ...ground, live, blobs, rendering: new FakeRendering(), orchestrations: new FakeOrchestrations() };
  return setReaders(parts, administrator('ada'), 'p', readers);
}

const create = (readers: readonly string[]) => ground.pipelines.create({ ...newPipeline('p'), readers: [...readers] });
const former = async () => (await ground.pipelines.get('p')).formerReaders ?? [];

describe('other readers of a pipeline', () => {
  test('take who is not among them any more out of its group at once, and the record says until when to go on', async () => {
    await create(['bob', 'eve', 'grace']);
    await change(['grace']);
    expect(ground.events.asked.sort()).toEqual(['drop bob from p', 'drop eve from p']);
    expect(await former()).toEqual(['bob', 'eve'].map((subject) => ({ subject, until: LAST_USE })));
    expect((await ground.pipelines.history('p')).length).toBe(1);
  });

  test('that are more, or the same, take out nobody', async () => {
    await create(['bob']);
    await change(['bob', 'eve']);
    await change(['bob', 'eve']);
    expect(ground.events.asked).toEqual([]);
    expect(await former()).toEqual([]);
  });

  test('without all Clients leave the Administrators, the owner and the readers alone', async () => {
    await create(['clients', 'bob']);
    await change(['bob', 'eve']);
    expect(ground.events.droppedOthers).toEqual([{ pipelineId: 'p', owner: 'ada', readers: ['bob', 'eve'] }]);
    expect(await former()).toEqual([{ subject: 'clients', until: LAST_USE }]);
  });

  test('with all Clients take out nobody, and forget who was taken off before: they are Clients', async () => {
    await create(['bob']);
    await change([]);
    await change(['clients']);
    expect(ground.events.asked).toEqual(['drop bob from p']);
    expect(await former()).toEqual([]);
  });

  test('never take out the owner', async () => {
    await create(['ada', 'bob']);
    await change(['bob']);
    expect(ground.events.asked).toEqual([]);
  });

  test('take out who was taken off shortly before as well, but not who is back', async () => {
    await create(['bob', 'eve', 'mallory']);
    await change(['eve']);
    ground.clock.advance(60);
    await change(['mallory']);
    expect((await former()).map(({ subject, until }) => `${subject} ${until}`)).toEqual([
      `bob ${LAST_USE}`,
      `eve ${at(46 * 60).toISOString()}`,
    ]);
    ground.clock.advance(44 * 60);
    await change(['mallory', 'grace']);
    expect((await former()).map(({ subject }) => subject)).toEqual(['eve']);
  });

  test('than more than fifty take everybody out who is none of them', async () => {
    await create(range(1, 51).map((number) => `reader-${number}`));
    await change(['reader-1']);
    expect(await former()).toHaveLength(50);
    await change(['bob']);
    expect(await former()).toEqual([{ subject: 'clients', until: LAST_USE }]);
    expect(ground.events.droppedOthers).toEqual([{ pipelineId: 'p', owner: 'ada', readers: ['bob'] }]);
  });

  test('of one that is over take them out at once too', async () => {
    await create(['bob']);
    await end(ground, 'p');
    await change([]);
    expect(ground.events.asked).toEqual(['drop bob from p']);
  });

  test.each(['lost', 'silent'] as const)('are set within about a second where Web PubSub is %s', async (state) => {
    await create(['bob']);
    ground.events.state = state;
    const begun = performance.now();
    expect((await change(['eve'])).readers).toEqual(['eve']);
    expect(performance.now() - begun).toBeLessThan(2000);
    expect(await former()).toEqual([{ subject: 'bob', until: LAST_USE }]);
  });
});

describe('a revocation', () => {
  test('closes the connections at once, each time it is asked for', async () => {
    const revocations = new Revocations(ground.table, ground.now);
    expect(await revoke({ ...ground, revocations }, 'mallory', 'ada')).toMatchObject({ created: true, by: 'ada' });
    expect(await revoke({ ...ground, revocations }, 'mallory', 'bob')).toMatchObject({ created: false, by: 'ada' });
    expect(ground.events.asked).toEqual(['close mallory', 'close mallory']);
  });

  test('closes them whatever case the id was typed in', async () => {
    const revocations = new Revocations(ground.table, ground.now);
    await revoke({ ...ground, revocations }, 'AB-12', 'ada');
    expect(ground.events.asked).toEqual(['close AB-12', 'close ab-12']);
  });

  test('keeps who came back with an old token from hearing anything, for as long as they may have one', async () => {
    await pipelineWith(ground, 'p', 1);
    await revoke(ground, 'AB-12', 'ada');
    await tell(ground, 'p');
    expect(ground.events.published.at(-1)?.audience.keptOut).toEqual(['AB-12', 'ab-12']);
    await ground.revocations.restore('ab-12');
    await tell(ground, 'p');
    expect(ground.events.published.at(-1)?.audience.keptOut).toEqual([]);
    await revoke(ground, 'mallory', 'ada');
    ground.clock.advance(76 * 60);
    await tell(ground, 'p');
    expect(ground.events.published.at(-1)?.audience.keptOut).toEqual([]);
  });

  test.each(['lost', 'silent'] as const)('stands where Web PubSub is %s', async (state) => {
    const revocations = new Revocations(ground.table, ground.now);
    ground.events.state = state;
    await revoke({ ...ground, revocations }, 'mallory', 'ada');
    expect(await revocations.isRevoked('mallory')).toBe(true);
  });

  test('stands where there is no Web PubSub', async () => {
    const revocations = new Revocations(ground.table, ground.now);
    await revoke({ revocations }, 'mallory', 'ada');
    expect(await revocations.isRevoked('mallory')).toBe(true);
    expect(ground.events.asked).toEqual([]);
  });
});
