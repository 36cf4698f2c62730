import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PipelineRecord, type Reason, RecordsError } from '#lib/records';
import { at, newPipeline, newSession, openRecords, type TestRecords } from '../../support/records.ts';
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

const states = ['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped', 'converted', 'failed'] as const;
type State = (typeof states)[number];

/** The same pipeline in another state, with the ending that the state needs. */
function inState(current: PipelineRecord, state: State): PipelineRecord {
  const reason: Reason = state === 'failed' ? 'host_lost' : state === 'converted' ? 'completed' : 'user_stop';
  const ending = { reason, evidence: 'the test says so', at: current.updatedAt };
  switch (state) {
    case 'waiting':
    case 'converting':
    case 'starting':
    case 'ready':
      return { ...current, state };
    default:
      return { ...current, state, ending };
  }
}

const move = (id: string, state: State) =>
  records.pipelines.update(id, (current) => ({ record: inState(current, state) }));

describe('a record is created once', () => {
  test('of eight creations at once one makes it, and all answer with the same record', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, caller) =>
        records.pipelines.create({ ...newPipeline('p'), owner: `caller-${caller}` }),
      ),
    );
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ record }) => record.owner)).size).toBe(1);
    expect(await records.pipelines.history('p')).toHaveLength(1);
  });

  test('it begins at revision 1 with one event, and is read as it was created', async () => {
    const { record } = await records.pipelines.create(newPipeline('p'));
    expect(record).toMatchObject({ ...newPipeline('p'), revision: 1, sequence: 1 });
    expect(record.createdAt).toBe(records.clock.now().toISOString());
    expect(await records.pipelines.read('p')).toEqual(record);
    expect(await records.pipelines.history('p')).toEqual([
      { sequence: 1, at: record.createdAt, type: 'state', state: 'waiting' },
    ]);
  });

  test('a record of another kind under the same id is another record', async () => {
    await records.pipelines.create(newPipeline('same'));
    expect((await records.sessions.create(newSession('same'))).created).toBe(true);
    expect((await records.pipelines.get('same')).state).toBe('waiting');
    expect((await records.sessions.get('same')).state).toBe('starting');
  });

  test('what is not there is undefined to a reader and not_found to whoever needs it', async () => {
    expect(await records.pipelines.read('nobody')).toBeUndefined();
    await expect(records.pipelines.get('nobody')).rejects.toMatchObject({ code: 'not_found' });
    await expect(records.pipelines.update('nobody', () => undefined)).rejects.toMatchObject({ code: 'not_found' });
    expect(await records.pipelines.history('nobody')).toEqual([]);
  });
});

describe('a record is changed by compare-and-set', () => {
  test('of fifty changes at once none is lost, and the change is asked again with what is there', async () => {
    await records.pipelines.create(newPipeline('p'));
    await Promise.all(
      Array.from({ length: 50 }, (_, number) =>
        records.pipelines.update('p', (current) => ({
          record: { ...current, missingFiles: [...current.missingFiles, `file-${number}`] },
        })),
      ),
    );
    const { missingFiles, revision, sequence } = await records.pipelines.get('p');
    expect(new Set(missingFiles).size).toBe(50);
    expect({ revision, sequence }).toEqual({ revision: 51, sequence: 1 });
  });

  test('a change that is none leaves the record and its revision', async () => {
    const { record } = await records.pipelines.create(newPipeline('p'));
    expect(await records.pipelines.update('p', () => undefined)).toEqual(record);
    expect(await records.pipelines.get('p')).toEqual(record);
  });

  test('what the change throws reaches the caller, and the record stays as it was', async () => {
    const { record } = await records.pipelines.create(newPipeline('p'));
    const refuse = () => {
      throw new RangeError('not this one');
    };
    await expect(records.pipelines.update('p', refuse)).rejects.toThrow(new RangeError('not this one'));
    expect(await records.pipelines.get('p')).toEqual(record);
  });

  test('what the store keeps itself, no change can set', async () => {
    await records.pipelines.create(newPipeline('p'));
    records.clock.advance(7);
    const changed = await records.pipelines.update('p', (current) => ({
      record: { ...current, revision: 900, sequence: 900, updatedAt: '2001-01-01T00:00:00Z' },
    }));
    expect(changed).toMatchObject({ revision: 2, sequence: 1, updatedAt: records.clock.now().toISOString() });
  });

  test('a document that is too large is refused and leaves the record, its history and its place among the active', async () => {
    const { record } = await records.pipelines.create(newPipeline('p'));
    const huge = Array.from({ length: 40 }, () => 'x'.repeat(1000));
    const grow = records.pipelines.update('p', (current) => ({
      record: { ...inState(current, 'converted'), missingFiles: huge },
    }));
    await expect(grow).rejects.toMatchObject({ name: 'RecordsError', code: 'too_large' });
    await expect(records.pipelines.create({ ...newPipeline('other'), missingFiles: huge })).rejects.toMatchObject({
      code: 'too_large',
    });
    expect(await records.pipelines.get('p')).toEqual(record);
    expect(await records.pipelines.history('p')).toHaveLength(1);
    expect(await records.pipelines.listActive()).toEqual([record]);
  });

  test('a document that is no record any more is refused before it is written', async () => {
    const { record } = await records.pipelines.create(newPipeline('p'));
    const spoil = records.pipelines.update('p', (current) => ({ record: { ...current, waitUntil: 'tomorrow' } }));
    await expect(spoil).rejects.toThrow();
    expect(await records.pipelines.get('p')).toEqual(record);
  });
});

describe('a record never goes back', () => {
  test('a state of lower rank is refused', async () => {
    await records.pipelines.create(newPipeline('p'));
    await move('p', 'ready');
    const back = move('p', 'converting');
    await expect(back).rejects.toThrow('The pipeline p is ready and cannot become converting.');
    await expect(back).rejects.toMatchObject({ code: 'regression' });
    expect((await records.pipelines.get('p')).state).toBe('ready');
  });

  test.each(['stopped', 'converted', 'failed'] as const)('%s is final', async (end) => {
    await records.pipelines.create(newPipeline('p'));
    const ended = await move('p', end);
    for (const state of states) await expect(move('p', state)).rejects.toMatchObject({ code: 'regression' });
    expect(await records.pipelines.get('p')).toEqual(ended);
  });

  test('of writers that meet at an end, one ends it and the others are refused', async () => {
    await records.pipelines.create(newPipeline('p'));
    const ends = await Promise.allSettled(
      (['stopped', 'failed', 'converted', 'stopped', 'failed'] as const).map((state) => move('p', state)),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await records.pipelines.history('p')).toHaveLength(2);
  });

  test('whatever changes are asked for in whatever order, the record is where the ranks allow, and its history says how it got there', async () => {
    const rank = { waiting: 1, converting: 2, starting: 3, ready: 4, stopping: 5, stopped: 6, converted: 6, failed: 6 };
    const asked = fc.array(fc.constantFrom(...states), { minLength: 1, maxLength: 10 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(asked, async (wanted) => {
        run += 1;
        const id = `walk-${run}`;
        await records.pipelines.create(newPipeline(id));
        const path: State[] = ['waiting'];
        for (const state of wanted) {
          const from = path.at(-1) ?? 'waiting';
          const allowed = rank[from] < 6 && rank[state] >= rank[from];
          const change = move(id, state);
          if (!allowed) await expect(change).rejects.toBeInstanceOf(RecordsError);
          else if ((await change).state !== from) path.push(state);
        }
        const history = await records.pipelines.history(id);
        expect(history.map((event) => event.state)).toEqual(path);
        expect(history.map(({ sequence }) => sequence)).toEqual(path.map((_, index) => index + 1));
        const active = (await records.pipelines.listActive()).some((record) => record.id === id);
        expect(active).toBe(rank[path.at(-1) ?? 'waiting'] < 6);
      }),
      { numRuns: 8 },
    );
  });
});

describe('what is no part of a record’s course', () => {
  test.each(states)('can be amended while it is %s, and nothing is told of it', async (state) => {
    await records.pipelines.create(newPipeline('p'));
    const { sequence, revision } = state === 'waiting' ? await records.pipelines.get('p') : await move('p', state);
    const amended = await records.pipelines.amend('p', (current) => ({ ...current, readers: ['grace'] }));
    expect(amended).toMatchObject({ state, readers: ['grace'], sequence, revision: revision + 1 });
    expect(await records.pipelines.get('p')).toEqual(amended);
    const active = (await records.pipelines.listActive()).length;
    expect(active).toBe(['stopped', 'converted', 'failed'].includes(state) ? 0 : 1);
    expect(await records.pipelines.amend('p', () => undefined)).toEqual(amended);
  });

  test.each(['ready', 'stopped'] as const)('is not its state: one that is %s stays so', async (state) => {
    await records.pipelines.create(newPipeline('p'));
    const before = await move('p', state);
    for (const other of states.filter((each) => each !== state)) {
      const change = records.pipelines.amend('p', (current) => inState(current, other));
      await expect(change).rejects.toMatchObject({ code: 'regression' });
    }
    expect(await records.pipelines.get('p')).toEqual(before);
  });

  test('is changed by compare-and-set too', async () => {
    await records.pipelines.create(newPipeline('p'));
    await move('p', 'stopped');
    const add = (reader: string) =>
      records.pipelines.amend('p', (current) => ({ ...current, readers: [...current.readers, reader] }));
    await Promise.all(Array.from({ length: 10 }, (_, number) => add(`reader-${number}`)));
    expect((await records.pipelines.get('p')).readers).toHaveLength(11);
  });
});

describe('events go with the change that they tell of', () => {
  test('each change of state, and each fact worth telling, has one; the numbers have no gap', async () => {
    await records.pipelines.create(newPipeline('p'));
    await move('p', 'converting');
    await records.pipelines.update('p', (current) => ({ record: { ...current, missingFiles: ['a.bin'] } }));
    await records.pipelines.update('p', (current) => ({
      record: current,
      event: { type: 'stop_asked', evidence: 'local asked for it.' },
    }));
    records.clock.advance(1);
    await move('p', 'stopped');
    const [created, , , ended] = await records.pipelines.history('p');
    expect(await records.pipelines.history('p')).toMatchObject([
      { sequence: 1, type: 'state', state: 'waiting' },
      { sequence: 2, type: 'state', state: 'converting' },
      { sequence: 3, type: 'stop_asked', state: 'converting', evidence: 'local asked for it.' },
      { sequence: 4, type: 'state', state: 'stopped', reason: 'user_stop', evidence: 'the test says so' },
    ]);
    expect(Date.parse(ended?.at ?? '') - Date.parse(created?.at ?? '')).toBe(1000);
  });

  test('thirty tellers at once number their events from 2 to 31, in the order of the history', async () => {
    await records.pipelines.create(newPipeline('p'));
    const tell = (number: number) =>
      records.pipelines.update('p', (record) => ({ record, event: { type: 'asset', evidence: `${number}` } }));
    await Promise.all(Array.from({ length: 30 }, (_, number) => tell(number)));
    const history = await records.pipelines.history('p');
    expect(history.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
    expect(new Set(history.map(({ evidence }) => evidence)).size).toBe(31);
    expect((await records.pipelines.get('p')).sequence).toBe(31);
  });

  test('the histories of two records do not mix', async () => {
    for (const id of ['one', 'other']) await records.pipelines.create(newPipeline(id));
    await move('one', 'ready');
    expect(await records.pipelines.history('one')).toHaveLength(2);
    expect(await records.pipelines.history('other')).toHaveLength(1);
  });
});

describe('lists', () => {
  test('all records come in the order of their creation, whichever partition holds them', async () => {
    const ids = Array.from({ length: 24 }, (_, number) => `pipeline-${number}`);
    for (const id of ids) {
      await records.pipelines.create(newPipeline(id));
      records.clock.advance(1);
    }
    await records.sessions.create(newSession('no-pipeline'));
    expect((await records.pipelines.list()).map(({ id }) => id)).toEqual(ids);
  });

  test('the active are those that have not ended', async () => {
    for (const state of states) {
      await records.pipelines.create(newPipeline(state));
      if (state !== 'waiting') await move(state, state);
    }
    const active = (await records.pipelines.listActive()).map(({ state }) => state);
    expect(active.sort()).toEqual(['converting', 'ready', 'starting', 'stopping', 'waiting']);
    expect(await records.pipelines.list()).toHaveLength(states.length);
  });

  test('one that ends while the active are listed is not among them', async () => {
    const ids = Array.from({ length: 12 }, (_, number) => `pipeline-${number}`);
    await Promise.all(ids.map((id) => records.pipelines.create(newPipeline(id))));
    const ending = Promise.all(ids.map((id) => move(id, 'stopped')));
    const listed: PipelineRecord[] = [];
    for (let look = 0; look < 6; look += 1) listed.push(...(await records.pipelines.listActive()));
    await ending;
    expect(listed.filter(({ state }) => state === 'stopped')).toEqual([]);
  });
});

describe('a list of what changed since', () => {
  test('has what was created or changed then or later, also what is over', async () => {
    for (const id of ['old', 'changed', 'over']) await records.pipelines.create(newPipeline(id));
    records.clock.advance(60);
    await records.pipelines.update('changed', (record) => ({ record: { ...record, missingFiles: ['a.png'] } }));
    await move('over', 'stopped');
    await records.pipelines.create(newPipeline('new'));
    const ids = async (time: Date) => (await records.pipelines.listChangedSince(time)).map(({ id }) => id).sort();
    expect(await ids(records.clock.now())).toEqual(['changed', 'new', 'over']);
    expect(await ids(at(0))).toEqual(['changed', 'new', 'old', 'over']);
    expect(await ids(at(60.001))).toEqual([]);
  });

  test('has the table leave out what it was not sent since, by its own clock', async () => {
    const days = 86_400_000;
    records.clock.advance((Date.now() + 2 * days - records.clock.now().getTime()) / 1000);
    await records.pipelines.create(newPipeline('p'));
    expect(await records.pipelines.listChangedSince(new Date(Date.now() + days))).toEqual([]);
    expect(await records.pipelines.listChangedSince(new Date(Date.now() - days))).toHaveLength(1);
  });
});

describe('a row that holds no record', () => {
  const rows = async () => {
    const found: { partitionKey: string; rowKey: string }[] = [];
    for await (const { partitionKey = '', rowKey = '' } of records.table.listEntities()) {
      if (rowKey.startsWith('r~')) found.push({ partitionKey, rowKey });
    }
    return found;
  };

  test.each([
    ['is not JSON', { document: '{"id":' }],
    ['is another document', { document: '{"state":"dancing"}' }],
    ['has none', {}],
  ])('is unreadable where its document %s', async (_, columns) => {
    await records.pipelines.create(newPipeline('p'));
    const [key] = await rows();
    await records.table.updateEntity({ partitionKey: '', rowKey: '', ...key, ...columns }, 'Replace');
    const unreadable = { name: 'RecordsError', code: 'unreadable' };
    await expect(records.pipelines.read('p')).rejects.toMatchObject(unreadable);
    await expect(records.pipelines.update('p', () => undefined)).rejects.toMatchObject(unreadable);
    await expect(records.pipelines.list()).rejects.toMatchObject(unreadable);
  });
});
