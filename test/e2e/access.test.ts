import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ROLES, type Route, revocationList, routes } from '#lib/api';
import { type Answer, problemOf, startTestStack, type TestStack } from '../support/e2e-stack.ts';

const ORIGIN = 'https://viewer.example';
const list = z.object({ pipelines: z.array(z.object({ id: z.string() })) });

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack({
    UPLOAD_POLICY: 'convert',
    CORS_ALLOWED_ORIGINS: ORIGIN,
    TOKEN_REQUESTS_PER_MINUTE: '1000',
  });
});
afterAll(() => stack[Symbol.asyncDispose]());

const everyRoute = Object.entries<Route>(routes);
const guarded = everyRoute.filter(([, { access }]) => access.kind === 'roles');

/** A path that names nothing that is there. */
const pathOf = ({ path }: Route) =>
  path.replace('{accountId}', stack.endpoints.accountId).replaceAll(/\{\w+\}/g, () => randomUUID());
/** Sent without a body: a route that takes one refuses it after it has let the caller in. */
const ask = (route: Route, token: string | null) => stack.call(route.method, pathOf(route), { token });

describe('every route knows its caller', () => {
  test.each(everyRoute.filter(([, { access }]) => access.kind === 'anyone'))(
    '%s is for anyone',
    async (_name, route) => {
      expect((await ask(route, null)).status).toBe(200);
    },
  );

  test.each(guarded)('%s refuses a caller whom nobody knows, and says what to bring', async (_name, route) => {
    const without = await ask(route, null);
    expect(problemOf(without).type).toBe('/problems/unauthenticated');
    expect(without.status).toBe(401);
    expect(without.headers.get('www-authenticate')).toBe('Bearer');

    const wrong = await ask(route, 'a.b.c');
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", error_description="[^"]+"$/);
  });

  test.each(everyRoute.filter(([, { access }]) => access.kind === 'machine' || access.kind === 'account'))(
    '%s refuses whoever brings no credential of its own, or a wrong one',
    async (_name, route) => {
      for (const token of [null, 'a.b.c', `${stack.endpoints.accountId}:wrong`]) {
        expect((await ask(route, token)).status).toBe(401);
      }
    },
  );

  test.each(guarded)('%s lets in the roles of its table, and tells others what is missing', async (_name, route) => {
    const allowed = route.access.kind === 'roles' ? route.access.roles : [];
    const callers = {
      [ROLES.client]: await stack.tokenFor('client', 'cleo'),
      [ROLES.administrator]: await stack.tokenFor('administrator', 'ada'),
    };
    for (const [role, token] of Object.entries(callers)) {
      const answer = await ask(route, token);
      if (allowed.some((each) => each === role)) {
        expect([401, 403, 500], `${role}`).not.toContain(answer.status);
      } else {
        expect(answer.status, `${role}`).toBe(403);
        expect(problemOf(answer).detail).toContain(allowed.join(' or '));
      }
    }
  });

  test('a caller without any role is known, and may do nothing', async () => {
    const token = await stack.applicationToken('no-roles');
    for (const [, route] of guarded) expect((await ask(route, token)).status, route.path).toBe(403);
  });

  test('the headers of App Service authentication name nobody unless a setting says that the platform is in front', async () => {
    const principal = { auth_typ: 'aad', role_typ: 'roles', claims: [{ typ: 'roles', val: ROLES.administrator }] };
    const headers = { 'x-ms-client-principal': Buffer.from(JSON.stringify(principal)).toString('base64') };
    expect((await stack.call('GET', '/api/pipelines', { token: null, headers })).status).toBe(401);
  });

  test('no other path answers at all', async () => {
    for (const path of ['/', '/api', '/api/tokens', '/admin/functions', '/api/pipelines/a/b/c']) {
      expect((await stack.call('GET', path)).status, path).toBe(404);
    }
  });
});

describe('checks come in their order: caller, role, body and headers, existence', () => {
  const put = (token: string | null, body: unknown) =>
    stack.call('PUT', `/api/pipelines/${randomUUID()}`, { token, body });

  test('a wrong body of somebody unknown is 401, of a Client 403, of an Administrator 400', async () => {
    const wrong = { model: 7 };
    expect((await put(null, wrong)).status).toBe(401);
    expect((await put(await stack.tokenFor('client', 'cleo'), wrong)).status).toBe(403);
    const answer = await put(await stack.tokenFor('administrator', 'ada'), wrong);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).field).toBe('model');
  });

  test('a renewal of nothing is first told what is wrong with it', async () => {
    const path = `/api/pipelines/${randomUUID()}/lease`;
    expect((await stack.call('PUT', path, { body: { maxLeaseSeconds: -1 } })).status).toBe(400);
    expect((await stack.call('PUT', path, { body: { maxLeaseSeconds: 5 } })).status).toBe(428);
    const headers = { 'If-Match': '"1"' };
    expect((await stack.call('PUT', path, { body: { maxLeaseSeconds: 5 }, headers })).status).toBe(404);
  });
});

describe('a record is for its owner, its readers and Administrators', () => {
  const create = async (body: Record<string, unknown> = {}) => {
    const id = randomUUID();
    const token = await stack.tokenFor('administrator', 'ada');
    const answer = await stack.call('PUT', `/api/pipelines/${id}`, {
      token,
      body: { model: 'nowhere/absent.glb', session: null, ...body },
    });
    expect(answer.status).toBe(201);
    return id;
  };
  const read = async (id: string, name: string, role: 'client' | 'administrator' = 'client'): Promise<Answer> =>
    await stack.call('GET', `/api/pipelines/${id}`, { token: await stack.tokenFor(role, name) });

  test('one that names no readers is for every Client', async () => {
    const id = await create();
    expect((await read(id, 'cleo')).status).toBe(200);
  });

  test('a Client who is no reader is told that it is not there, in the words for one that is not', async () => {
    const id = await create({ readers: [await stack.subjectOf('cleo')] });
    const nowhere = randomUUID();
    expect((await read(id, 'cleo')).status).toBe(200);
    expect((await read(id, 'zoe', 'administrator')).status).toBe(200);
    for (const path of ['', '/lease', '/asset']) {
      const [hidden, missing] = await Promise.all(
        [id, nowhere].map(async (each) =>
          stack.call('GET', `/api/pipelines/${each}${path}`, { token: await stack.tokenFor('client', 'carl') }),
        ),
      );
      expect(hidden?.status).toBe(404);
      expect(JSON.stringify(hidden?.body).replaceAll(id, '')).toBe(
        JSON.stringify(missing?.body).replaceAll(nowhere, ''),
      );
    }
    const seen = async (name: string) => {
      const token = await stack.tokenFor('client', name);
      return list.parse((await stack.call('GET', '/api/pipelines', { token })).body).pipelines.map((each) => each.id);
    };
    expect(await seen('cleo')).toContain(id);
    expect(await seen('carl')).not.toContain(id);
  });

  test('readers can be taken off and put on, by Administrators alone', async () => {
    const id = await create({ readers: [await stack.subjectOf('cleo')] });
    const setReaders = async (role: 'client' | 'administrator', readers: unknown) =>
      await stack.call('PUT', `/api/pipelines/${id}/readers`, {
        token: await stack.tokenFor(role, 'cleo'),
        body: { readers },
      });
    expect((await setReaders('client', [])).status).toBe(403);
    expect((await setReaders('administrator', 'everybody')).status).toBe(400);
    expect((await setReaders('administrator', [`a\r\nb`])).status).toBe(400);
    expect((await setReaders('administrator', [])).body).toMatchObject({ readers: [] });
    expect((await read(id, 'cleo')).status).toBe(404);
    await setReaders('administrator', ['clients']);
    expect((await read(id, 'cleo')).status).toBe(200);
  });

  test('a reader may not renew the lease', async () => {
    const id = await create();
    const token = await stack.tokenFor('client', 'cleo');
    const headers = { 'If-Match': '"1"' };
    const answer = await stack.call('PUT', `/api/pipelines/${id}/lease`, {
      token,
      headers,
      body: { maxLeaseSeconds: 60 },
    });
    expect(answer.status).toBe(403);
  });

  test('another Administrator who stops it is told apart from its owner', async () => {
    for (const [name, reason] of [
      ['ada', 'user_stop'],
      ['zoe', 'admin_stop'],
    ] as const) {
      const id = await create();
      const token = await stack.tokenFor('administrator', name);
      expect((await stack.call('DELETE', `/api/pipelines/${id}`, { token })).status).toBe(202);
      await expect.poll(async () => (await read(id, 'cleo')).body, { timeout: 20_000 }).toMatchObject({ reason });
    }
  });

  test('the same Idempotency-Key of two Administrators is two pipelines', async () => {
    const key = randomUUID();
    const ids = await Promise.all(
      ['ada', 'zoe', 'ada'].map(async (name) => {
        const answer = await stack.call('POST', '/api/pipelines', {
          token: await stack.tokenFor('administrator', name),
          headers: { 'Idempotency-Key': key },
          body: { model: 'nowhere/absent.glb', session: null },
        });
        return z.object({ id: z.string() }).parse(answer.body).id;
      }),
    );
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toBe(ids[2]);
  });
});

describe('revocations', () => {
  test('one acts at once on the instance that takes it, and can be taken back', async () => {
    const subject = await stack.subjectOf('rex');
    const asRex = async () =>
      (await stack.call('GET', '/api/pipelines', { token: await stack.tokenFor('client', 'rex') })).status;
    expect(await asRex()).toBe(200);
    const revoked = await stack.call('PUT', `/api/revocations/${subject}`);
    expect(revoked.status).toBe(201);
    expect(revoked.body).toMatchObject({ target: subject, by: await stack.subjectOf('ada') });
    expect((await stack.call('PUT', `/api/revocations/${subject}`)).status).toBe(200);
    expect(await asRex()).toBe(401);
    const { body: all } = await stack.call('GET', '/api/revocations');
    expect(revocationList.parse(all).revocations.map(({ target }) => target)).toContain(subject);
    expect((await stack.call('DELETE', `/api/revocations/${subject}`)).status).toBe(204);
    expect(await asRex()).toBe(200);
    expect((await stack.call('DELETE', `/api/revocations/${subject}`)).status).toBe(204);
  });

  test('one is of a caller and of a key in whatever case they are written', async () => {
    const subject = await stack.subjectOf('rita');
    const asRita = async () =>
      (await stack.call('GET', '/api/pipelines', { token: await stack.tokenFor('client', 'rita') })).status;
    expect((await stack.call('PUT', `/api/revocations/${subject.toUpperCase()}`)).status).toBe(201);
    expect(await asRita()).toBe(401);
    expect((await stack.call('DELETE', `/api/revocations/${subject}`)).status).toBe(204);
    expect(await asRita()).toBe(200);
  });

  test('one of the account closes the way in by its key', async () => {
    const { accountId, accountKeyFile } = stack.endpoints;
    const token = `${accountId}:${await readFile(accountKeyFile, 'utf8')}`;
    const byKey = async () => (await stack.call('GET', `/accounts/${accountId}/token`, { token })).status;
    expect(await byKey()).toBe(200);
    await stack.call('PUT', `/api/revocations/${accountId}`);
    expect(await byKey()).toBe(401);
    await stack.call('DELETE', `/api/revocations/${accountId}`);
    expect(await byKey()).toBe(200);
  });

  test('nobody locks themselves out', async () => {
    const answer = await stack.call('PUT', `/api/revocations/${await stack.subjectOf('ada')}`);
    expect(answer.status).toBe(409);
    expect((await stack.call('GET', '/api/pipelines')).status).toBe(200);
  });

  test('what names nobody is refused', async () => {
    for (const target of ['a%0D%0Ab', 'a%2Fb', 'x'.repeat(129)]) {
      expect((await stack.call('PUT', `/api/revocations/${target}`)).status, target).toBe(400);
    }
  });
});

describe('pages of other origins', () => {
  const preflight = (origin: string) =>
    stack.call('OPTIONS', '/api/pipelines', {
      token: null,
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'GET',
        'Access-Control-Request-Headers': 'authorization',
      },
    });

  test('may ask and read where their origin is allowed', async () => {
    const asked = await preflight(ORIGIN);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(asked.headers.get('access-control-allow-headers')).toContain('Authorization');
    const answer = await stack.call('GET', '/api/pipelines', { headers: { Origin: ORIGIN } });
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('vary')).toContain('Origin');
    const refused = await stack.call('GET', '/api/pipelines', { token: null, headers: { Origin: ORIGIN } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  });

  test.each(['https://evil.example', 'null', `${ORIGIN}.evil.example`])('get no leave from %s', async (origin) => {
    const asked = await preflight(origin);
    expect(asked.headers.get('access-control-allow-origin')).toBeNull();
    expect(asked.headers.get('access-control-allow-methods')).toBeNull();
    const answer = await stack.call('GET', '/api/pipelines', { headers: { Origin: origin } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test('Where a setting is wrong the app lives, says that it is not ready, and answers with problems', async () => {
  await using wrong = await startTestStack({ UPLOAD_POLICY: 'garbage' });
  expect((await wrong.call('GET', '/api/health/live', { token: null })).status).toBe(200);
  const ready = await wrong.call('GET', '/api/health/ready', { token: null });
  expect(ready.status).toBe(503);
  expect(ready.body).toMatchObject({ problems: ['settings or storage'] });
  expect(problemOf(await wrong.call('GET', '/api/pipelines')).type).toBe('/problems/internal-error');
  expect(wrong.log().join('\n')).toContain('UPLOAD_POLICY');
});
