import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { problemOf, startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb } from '../support/models/index.ts';

const ID = 'leased';
const within = { timeout: 25_000, interval: 50 };

const ready = z.object({
  state: z.literal('ready'),
  session: z.object({ id: z.literal(ID), hostname: z.string(), ports: z.object({ inspector: z.number() }) }),
});
const lease = z.object({
  maxLeaseSeconds: z.number(),
  hardCapSeconds: z.number(),
  startedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  hardCapAt: z.iso.datetime(),
  remainingSeconds: z.number(),
});

let stack: TestStack;
let session: z.output<typeof ready>['session'];
beforeAll(async () => {
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', MAX_LEASE_SECONDS: '600' });
  await stack.upload('box/box.glb', boxGlb());
  await stack.call('PUT', `/api/pipelines/${ID}`, {
    body: { model: 'box/box.glb', session: { maxLeaseSeconds: 60 } },
  });
  session = await vi.waitFor(
    async () => ready.parse((await stack.call('GET', `/api/pipelines/${ID}`)).body).session,
    within,
  );
});
afterAll(() => stack[Symbol.asyncDispose]());

async function readLease() {
  const answer = await stack.call('GET', `/api/pipelines/${ID}/lease`);
  expect(answer.status).toBe(200);
  return { ...lease.parse(answer.body), etag: z.string().parse(answer.headers.get('etag')) };
}

const renew = (body: unknown, etag?: string, id = ID) =>
  stack.call('PUT', `/api/pipelines/${id}/lease`, { body, headers: etag === undefined ? {} : { 'If-Match': etag } });

const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000;

test('A ready session answers where the pipeline says, with a page that shows the asset', async () => {
  const page = await fetch(`http://${session.hostname}:${session.ports.inspector}/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toMatch(/<!doctype html>/i);
});

describe('GET /api/pipelines/{id}/lease', () => {
  test('counts from Ready, in absolute times and what is left', async () => {
    const { etag, startedAt, expiresAt, hardCapAt, maxLeaseSeconds, remainingSeconds } = await readLease();
    expect(etag).toMatch(/^"\d+"$/);
    expect(maxLeaseSeconds).toBe(60);
    expect(secondsBetween(startedAt, expiresAt)).toBe(60);
    expect(secondsBetween(startedAt, hardCapAt)).toBe(600);
    expect(remainingSeconds).toBeGreaterThan(0);
    expect(remainingSeconds).toBeLessThanOrEqual(60);
  });

  test('is a problem of its own where the pipeline has no session yet, or wants none', async () => {
    await stack.call('PUT', '/api/pipelines/waits', { body: { model: 'nowhere/absent.glb', session: {} } });
    const none = await stack.call('GET', '/api/pipelines/waits/lease');
    expect(none.status).toBe(404);
    expect(problemOf(none).type).toBe('/problems/no-lease');
    const renewed = await renew({ maxLeaseSeconds: 90 }, '"1"', 'waits');
    expect(renewed.status).toBe(404);
    expect(problemOf(renewed).type).toBe('/problems/no-lease');
  });
});

describe('PUT /api/pipelines/{id}/lease', () => {
  test('sets a larger total under a new ETag; of two at once with the same ETag one wins', async () => {
    const before = await readLease();
    const total = before.maxLeaseSeconds + 30;
    const answers = await Promise.all([1, 2].map(() => renew({ maxLeaseSeconds: total }, before.etag)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    const won = answers.find(({ status }) => status === 200);
    const after = await readLease();
    expect(won?.headers.get('etag')).toBe(after.etag);
    expect(after.etag).not.toBe(before.etag);
    expect(after.startedAt).toBe(before.startedAt);
    expect(secondsBetween(before.expiresAt, after.expiresAt)).toBe(30);
    expect(lease.parse(won?.body).expiresAt).toBe(after.expiresAt);
  });

  test('refuses what the lease does not allow, and leaves it as it is', async () => {
    const before = await readLease();
    const { etag, maxLeaseSeconds } = before;
    const larger = { maxLeaseSeconds: maxLeaseSeconds + 1 };
    const answers = [
      await renew(larger),
      await renew(larger, '"999"'),
      await renew(larger, `W/${etag}`),
      await renew({ maxLeaseSeconds }, etag),
      await renew({ maxLeaseSeconds: maxLeaseSeconds - 1 }, etag),
      await renew({ maxLeaseSeconds: 601 }, etag),
    ];
    expect(answers.map((answer) => [answer.status, problemOf(answer).type])).toEqual([
      [428, '/problems/if-match-required'],
      [412, '/problems/stale'],
      [412, '/problems/stale'],
      [422, '/problems/lease-not-larger'],
      [422, '/problems/lease-not-larger'],
      [422, '/problems/lease-over-cap'],
    ]);
    expect(await readLease()).toMatchObject({ etag, maxLeaseSeconds, expiresAt: before.expiresAt });
  });

  test.each<[unknown, string]>([
    [{}, 'maxLeaseSeconds'],
    [{ maxLeaseSeconds: '90' }, 'maxLeaseSeconds'],
    [{ maxLeaseSeconds: 0 }, 'maxLeaseSeconds'],
    [{ maxLeaseSeconds: 90.5 }, 'maxLeaseSeconds'],
    [{ maxLeaseSeconds: 90, size: 'Premium' }, 'size'],
    ['no JSON', 'body'],
  ])('refuses the body %j and names %s', async (body, field) => {
    const refused = await renew(body, (await readLease()).etag);
    expect(refused.status).toBe(400);
    expect(problemOf(refused)).toMatchObject({ type: '/problems/invalid-request', field });
  });

  test('looks at the body and the headers before it looks for the pipeline', async () => {
    expect((await renew({}, '"1"', 'unknown')).status).toBe(400);
    expect((await renew({ maxLeaseSeconds: 90 }, undefined, 'unknown')).status).toBe(428);
    const unknown = await renew({ maxLeaseSeconds: 90 }, '"1"', 'unknown');
    expect(unknown.status).toBe(404);
    expect(problemOf(unknown).type).toBe('/problems/not-found');
  });
});

describe('POST /api/sessions/{id}/heartbeats', () => {
  const said = { state: 'ready', hostname: '127.0.0.1', ports: { inspector: 1 }, connected: false, asset: null };
  const beat = (id: string, body: unknown, authorization?: string) =>
    stack.call('POST', `/api/sessions/${id}/heartbeats`, {
      body,
      headers: authorization === undefined ? {} : { Authorization: authorization },
    });

  test.each([undefined, '', 'Bearer', 'Bearer wrong', 'Basic d3Jvbmc6d3Jvbmc=', `Bearer ${'x'.repeat(43)}`])(
    'is refused with the secret %j',
    async (authorization) => {
      const refused = await beat(ID, said, authorization);
      expect(refused.status).toBe(401);
      expect(problemOf(refused).type).toBe('/problems/unauthenticated');
    },
  );

  test('tells nobody which sessions exist', async () => {
    const unknown = await beat('unknown', said, 'Bearer anything');
    expect(unknown.status).toBe(401);
    expect(unknown.headers.get('www-authenticate')).toBe('Bearer');
    const known = await beat(ID, said, 'Bearer anything');
    expect(problemOf(unknown)).toEqual(problemOf(known));
  });

  test('does not look at what a stranger says', async () => {
    expect((await beat(ID, { ...said, ports: {} }, 'Bearer anything')).status).toBe(401);
  });
});

test('A DELETE closes the lease within a second and ends the session; then it cannot be renewed', async () => {
  const { etag, maxLeaseSeconds } = await readLease();
  const askedAt = Date.now();
  expect((await stack.call('DELETE', `/api/pipelines/${ID}`)).status).toBe(202);
  const over = await vi.waitFor(async () => {
    const { body } = await stack.call('GET', `/api/pipelines/${ID}`);
    return z
      .object({
        state: z.literal('stopped'),
        reason: z.literal('user_stop'),
        machine: z.object({ stoppedAt: z.iso.datetime() }),
        history: z.array(z.object({ type: z.string(), state: z.string(), at: z.iso.datetime() })),
      })
      .parse(body);
  }, within);
  const states = over.history.filter(({ type }) => type === 'state');
  expect(states.map(({ state }) => state)).toEqual([
    'waiting',
    'converting',
    'starting',
    'ready',
    'stopping',
    'stopped',
  ]);
  const stopping = states.find(({ state }) => state === 'stopping');
  expect(Date.parse(stopping?.at ?? '') - askedAt).toBeLessThan(1000);
  await expect(fetch(`http://${session.hostname}:${session.ports.inspector}/`)).rejects.toThrow();

  const late = await renew({ maxLeaseSeconds: maxLeaseSeconds + 1 }, etag);
  expect(late.status).toBe(409);
  expect(problemOf(late).type).toBe('/problems/lease-closing');
});
