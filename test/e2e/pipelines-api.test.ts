import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type Answer, problemOf, startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb, sheetGlb } from '../support/models/index.ts';

const MODEL = 'box/box.glb';
/** Nobody uploads it: a pipeline of it waits. */
const ABSENT = 'nowhere/absent.glb';
const within = { timeout: 25_000, interval: 50 };

const pipeline = z.looseObject({
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  model: z.string(),
  missingFiles: z.array(z.string()),
  requestedSession: z.object({ size: z.string(), maxLeaseSeconds: z.number() }).nullable(),
  conversion: z.looseObject({ cached: z.boolean() }).nullable(),
  session: z.looseObject({ hostname: z.string(), ports: z.object({ inspector: z.number() }) }).nullable(),
  machine: z.looseObject({ stoppedAt: z.string().optional() }).nullable(),
});
const history = z.object({ history: z.array(z.object({ type: z.string(), state: z.string() })) });
const pipelines = z.object({ pipelines: z.array(pipeline) });

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', MAX_LEASE_SECONDS: '600', LEASE_SECONDS: '60' });
  await stack.upload(MODEL, boxGlb());
});
afterAll(() => stack[Symbol.asyncDispose]());

const newId = () => `p-${randomUUID()}`;
const put = (id: string, body: unknown) => stack.call('PUT', `/api/pipelines/${id}`, { body });
const post = (body: unknown, headers = {}) => stack.call('POST', '/api/pipelines', { body, headers });
const get = (id: string) => stack.call('GET', `/api/pipelines/${id}`);
const remove = (id: string) => stack.call('DELETE', `/api/pipelines/${id}`);
const list = async (query = '') => pipelines.parse((await stack.call('GET', `/api/pipelines${query}`)).body).pipelines;

async function reaches(id: string, ...states: string[]): Promise<z.output<typeof pipeline>> {
  return await vi.waitFor(async () => {
    const read = pipeline.parse((await get(id)).body);
    expect(states, `${read.reason}`).toContain(read.state);
    return read;
  }, within);
}

async function statesOf(id: string): Promise<string[]> {
  const { history: events } = history.parse((await get(id)).body);
  return events.filter(({ type }) => type === 'state').map(({ state }) => state);
}

describe('PUT /api/pipelines/{id}', () => {
  test('creates a pipeline, which the same body again leaves as it is and another body may not take', async () => {
    const id = newId();
    const created = await put(id, { model: ABSENT, session: null });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/api/pipelines/${id}`);
    expect(created.body).toMatchObject({
      id,
      state: 'waiting',
      model: ABSENT,
      owner: await stack.subjectOf('ada'),
      stopAsked: false,
    });

    const again = await put(id, { session: null, model: ABSENT });
    expect(again.status).toBe(200);
    expect(pipeline.parse(again.body).id).toBe(id);

    const other = await put(id, { model: MODEL, session: null });
    expect(other.status).toBe(409);
    expect(problemOf(other).type).toBe('/problems/conflict');
    expect((await get(id)).body).toMatchObject({ model: ABSENT });
  });

  test('is the same body where it says what the settings say for one that says nothing', async () => {
    const id = newId();
    await put(id, { model: ABSENT, session: {} });
    const again = await put(id, { model: ABSENT, session: { size: 'Standard', maxLeaseSeconds: 60 } });
    expect(again.status).toBe(200);
    expect(pipeline.parse(again.body).requestedSession).toEqual({ size: 'Standard', maxLeaseSeconds: 60 });
  });

  test('makes one pipeline of many requests at the same moment', async () => {
    const id = newId();
    const answers = await Promise.all(Array.from({ length: 5 }, () => put(id, { model: ABSENT, session: null })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 201]);
  });

  test.each(['blob-1', 'key-1', 'a.b', 'x'.repeat(129), '%20', 'caf%C3%A9'])('refuses the id %s', async (id) => {
    const refused = await put(id, { model: ABSENT });
    expect(refused.status).toBe(400);
    expect(problemOf(refused)).toMatchObject({ type: '/problems/invalid-request', field: 'id' });
  });
});

describe('POST /api/pipelines', () => {
  test('makes a pipeline of our own id each time', async () => {
    const [one, other] = await Promise.all([post({ model: ABSENT }), post({ model: ABSENT })]);
    expect([one.status, other.status]).toEqual([201, 201]);
    const id = pipeline.parse(one.body).id;
    expect(id).not.toBe(pipeline.parse(other.body).id);
    expect(one.headers.get('location')).toBe(`/api/pipelines/${id}`);
  });

  test('answers the same Idempotency-Key with the same pipeline, and refuses it for another body', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await post({ model: ABSENT }, key);
    const again = await post({ model: ABSENT }, key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(pipeline.parse(again.body).id).toBe(pipeline.parse(first.body).id);
    const other = await post({ model: MODEL }, key);
    expect(other.status).toBe(409);
    expect(problemOf(other).type).toBe('/problems/conflict');
  });
});

describe('A body that is no pipeline', () => {
  test.each<[unknown, string]>([
    [{}, 'model'],
    [[], 'body'],
    [null, 'body'],
    [{ model: 7 }, 'model'],
    [{ model: 'box.glb' }, 'model'],
    [{ model: '/box.glb' }, 'model'],
    [{ model: 'a/../box.glb' }, 'model'],
    [{ model: 'a//box.glb' }, 'model'],
    [{ model: 'a\\b/box.glb' }, 'model'],
    [{ model: 'a/box.txt' }, 'model'],
    [{ model: `a/${'x'.repeat(1024)}.glb` }, 'model'],
    [{ model: MODEL, colour: 'red' }, 'colour'],
    [{ model: MODEL, session: { size: 'Large' } }, 'session.size'],
    [{ model: MODEL, session: { maxLeaseSeconds: -1 } }, 'session.maxLeaseSeconds'],
    [{ model: MODEL, session: { maxLeaseSeconds: 0 } }, 'session.maxLeaseSeconds'],
    [{ model: MODEL, session: { maxLeaseSeconds: 1.5 } }, 'session.maxLeaseSeconds'],
    [{ model: MODEL, session: { maxLeaseSeconds: 601 } }, 'session.maxLeaseSeconds'],
    [{ model: MODEL, session: { colour: 'red' } }, 'session.colour'],
    [{ model: MODEL, settings: { colour: 'red' } }, 'settings.colour'],
    [{ model: MODEL, settings: { scaling: -1 } }, 'settings.scaling'],
    [{ model: MODEL, settings: 'small' }, 'settings'],
  ])('%j is refused, and %s is named', async (body, field) => {
    for (const refused of [await put(newId(), body), await post(body)]) {
      expect(refused.status).toBe(400);
      expect(problemOf(refused)).toMatchObject({ type: '/problems/invalid-request', field });
    }
  });

  test('is told by what is wrong where it is no JSON, has no media type or is too large', async () => {
    const path = `/api/pipelines/${newId()}`;
    const answers = [
      await stack.call('PUT', path, { body: '{"model":' }),
      await stack.call('PUT', path, { body: '' }),
      await stack.call('PUT', path, { body: '{}', headers: { 'Content-Type': 'text/plain' } }),
      await stack.call('PUT', path, { body: JSON.stringify({ model: 'x'.repeat(100_000) }) }),
    ];
    expect(answers.map((answer) => [answer.status, problemOf(answer).type])).toEqual([
      [400, '/problems/invalid-request'],
      [400, '/problems/invalid-request'],
      [415, '/problems/unsupported-media-type'],
      [413, '/problems/body-too-large'],
    ]);
    expect((await stack.call('GET', path)).status).toBe(404);
  });
});

test('What is not there is a problem on every route of a pipeline', async () => {
  const answers: Answer[] = [
    await get('unknown'),
    await remove('unknown'),
    await stack.call('GET', '/api/pipelines/unknown/lease'),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(404);
    expect(problemOf(answer).type).toBe('/problems/not-found');
  }
});

test('An id that no pipeline can have is said to be one', async () => {
  const answer = await get('x'.repeat(2000));
  expect(answer.status).toBe(400);
  expect(problemOf(answer).field).toBe('id');
});

describe('GET /api/pipelines', () => {
  test('lists the newest first, of one state, so many', async () => {
    const older = pipeline.parse((await post({ model: ABSENT })).body).id;
    const newer = pipeline.parse((await post({ model: ABSENT })).body).id;
    expect((await list('?limit=2')).map(({ id }) => id)).toEqual([newer, older]);
    await remove(newer);
    await reaches(newer, 'stopped');
    expect((await list('?state=waiting&limit=1')).map(({ id }) => id)).toEqual([older]);
    expect((await list('?state=stopped')).map(({ id }) => id)).toContain(newer);
  });

  test.each([
    ['?state=gone', 'state'],
    ['?limit=0', 'limit'],
    ['?limit=many', 'limit'],
    ['?limit=1001', 'limit'],
    ['?limit=', 'limit'],
  ])('refuses %s', async (query, field) => {
    const refused = await stack.call('GET', `/api/pipelines${query}`);
    expect(refused.status).toBe(400);
    expect(problemOf(refused)).toMatchObject({ type: '/problems/invalid-request', field });
  });
});

describe('The journey', () => {
  test('ends converted where no session is asked for', async () => {
    const id = newId();
    await put(id, { model: MODEL, session: null });
    const over = await reaches(id, 'converted', 'failed');
    expect(over).toMatchObject({ state: 'converted', reason: 'completed', session: null, machine: null });
    expect(await statesOf(id)).toEqual(['waiting', 'converting', 'converted']);
  });

  test('of an upload goes as far as UPLOAD_POLICY says', async () => {
    await stack.upload('uploaded/box.glb', boxGlb());
    const id = await vi.waitFor(async () => {
      const found = (await list()).find(({ model }) => model === 'uploaded/box.glb');
      return z.string().startsWith('blob-').parse(found?.id);
    }, within);
    expect(await reaches(id, 'converted', 'failed')).toMatchObject({ reason: 'completed', requestedSession: null });
  });

  test('waits for a file that is missing, by its name, and goes on when it comes', async () => {
    const id = newId();
    await put(id, { model: 'late/box.glb', session: null });
    await vi.waitFor(async () => expect((await get(id)).body).toMatchObject({ missingFiles: ['box.glb'] }), within);
    await stack.upload('late/box.glb', boxGlb());
    expect(await reaches(id, 'converted', 'failed')).toMatchObject({ reason: 'completed', missingFiles: [] });
  });
});

describe('DELETE /api/pipelines/{id}', () => {
  test('stops a pipeline that waits; the record stays, and a second DELETE changes nothing', async () => {
    const id = newId();
    await put(id, { model: ABSENT, session: null });
    const asked = await remove(id);
    expect(asked.status).toBe(202);
    expect(asked.body).toMatchObject({ id, stopAsked: true });
    const over = await reaches(id, 'stopped');
    expect(over).toMatchObject({ reason: 'user_stop', machine: null });
    expect((await remove(id)).status).toBe(202);
    expect((await put(id, { model: ABSENT, session: null })).status).toBe(200);
    expect(pipeline.parse((await get(id)).body)).toEqual(over);
    expect(await statesOf(id)).toEqual(['waiting', 'stopping', 'stopped']);
  });

  test('stops one that converts: no session is started', async () => {
    const id = newId();
    await stack.upload('sheet/sheet.glb', sheetGlb(150_000));
    await put(id, { model: 'sheet/sheet.glb', session: {} });
    await reaches(id, 'converting');
    await remove(id);
    expect(await reaches(id, 'stopped', 'failed')).toMatchObject({ reason: 'user_stop', session: null, machine: null });
  });

  test('stops one whose machine starts: the machine is seen stopped', async () => {
    const id = newId();
    await put(id, { model: MODEL, session: {} });
    await reaches(id, 'starting');
    await remove(id);
    expect(await reaches(id, 'stopped', 'failed')).toMatchObject({ reason: 'user_stop' });
    expect(await statesOf(id)).not.toContain('ready');
  });
});

test('A route takes the methods that it is for, and there is none beside them', async () => {
  for (const [method, path] of [
    ['PATCH', '/api/pipelines/x'],
    ['POST', '/api/pipelines/x'],
    ['DELETE', '/api/pipelines/x/lease'],
    ['GET', '/api/sessions/x/heartbeats'],
    ['GET', '/api/unknown'],
  ] as const) {
    expect((await stack.call(method, path)).status, `${method} ${path}`).toBe(404);
  }
});

test('Health says that the app lives and that all it needs answers', async () => {
  expect(await stack.call('GET', '/api/health/live')).toMatchObject({ status: 200, body: { status: 'live' } });
  expect(await stack.call('GET', '/api/health/ready')).toMatchObject({
    status: 200,
    body: { status: 'ready', problems: [] },
  });
});
