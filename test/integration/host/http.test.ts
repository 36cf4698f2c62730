import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { prepareCertificates } from '../../../infra/local/certificates.ts';
import { trustCertificate } from '../../../infra/local/trusted-certificates.ts';
import { createWorkplace, type HostProcess, startHostProcess, type Workplace } from './host-process.ts';

let workplace: Workplace;
let host: HostProcess;

beforeAll(async () => {
  workplace = await createWorkplace();
  host = await startHostProcess(workplace, { environment: { SAMPLE_SETTING: 'from the caller' } });
});
afterAll(async () => {
  await host.stop();
  await workplace.remove();
});

const get = (path: string, init?: RequestInit) => fetch(`${host.url}${path}`, init);

describe('HTTP triggers', () => {
  test('hand over parameters, query, headers and the absolute URL', async () => {
    const response = await get('/ITEMS/42/photo?a=1&b=x%20y&a=2', { method: 'PUT', headers: { 'X-Sent': 'yes' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-method')).toBe('PUT');
    expect(await response.json()).toEqual({
      params: { id: '42', part: 'photo' },
      query: { a: '1,2', b: 'x y' },
      header: 'yes',
      url: `${host.url}/ITEMS/42/photo?a=1&b=x%20y&a=2`,
    });
  });

  test('a literal beats a constrained parameter, which beats a plain one', async () => {
    expect(await (await get('/items')).json()).toEqual({ literal: true });
    expect(await (await get('/items/7')).json()).toMatchObject({ params: { id: '7' } });
    expect(await (await get('/items/seven')).json()).toEqual({ name: 'seven' });
  });

  test('a catch-all takes the rest, and may be empty', async () => {
    expect(await (await get('/files/a/b%20c/d.txt')).text()).toBe('a/b c/d.txt');
    expect(await (await get('/files')).text()).toBe('(none)');
  });

  test.each([
    ['GET', '/'],
    ['GET', '/elsewhere'],
    ['PATCH', '/items/7'],
    ['OPTIONS', '/items'],
    ['HEAD', '/items'],
  ])('%s %s is 404 with an empty body', async (method, path) => {
    const response = await get(path, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test('HEAD answers where the function takes it, without a body', async () => {
    const response = await get('/items/7', { method: 'HEAD' });
    expect([response.status, response.headers.get('x-method'), await response.text()]).toEqual([200, 'HEAD', '']);
  });

  test('bodies are bytes in both directions', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const response = await get('/bytes', { method: 'POST', body: bytes });
    expect(response.status).toBe(201);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes.toReversed());
  });

  test('a chunked body is lost, as in Azure, and reported', async () => {
    const body = new Blob(['lost']).stream();
    const response = await get('/bytes', { method: 'POST', body, duplex: 'half' });
    expect(await response.text()).toBe('');
    await vi.waitFor(() => expect(host.log()).toContain('a chunked body is lost in Azure'), { timeout: 20_000 });
  });

  test('a body of more than 100 MB is refused by its length', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const huge = request(`${host.url}/bytes`, { method: 'POST', headers: { 'content-length': 104_857_601 } });
      huge.on('response', (response) => {
        resolve(response.statusCode);
        huge.destroy();
      });
      huge.on('error', reject);
      huge.flushHeaders();
    });
    expect(status).toBe(413);
  });

  test('a handler that throws is 500 without a body; its message stays in the log, on one line', async () => {
    const response = await get('/throws');
    expect([response.status, await response.text()]).toEqual([500, '']);
    await vi.waitFor(() => expect(host.log()).toMatch(/^\S+Z error throws: Error: secret detail/m), {
      timeout: 20_000,
    });
    expect(host.log()).toMatch(/^\S+Z information throws: about to throw\\nin two lines$/m);
  });

  test('a handler that returns nothing is 204, and reported once', async () => {
    expect([(await get('/nothing')).status, (await get('/nothing')).status]).toEqual([204, 204]);
    await vi.waitFor(() => expect(host.log()).toContain('The handler returned nothing'), { timeout: 20_000 });
    expect(host.log().split('The handler returned nothing').length).toBe(2);
  });

  test('cookies are set one by one', async () => {
    const response = await get('/cookies');
    expect(response.headers.getSetCookie()).toEqual([
      'a=1%202; path=/',
      'b=x; max-age=5; path=/; samesite=lax; httponly',
    ]);
  });

  test('settings reach the app before it loads, and so does the host name', async () => {
    const settings = await (await get('/settings')).json();
    expect(settings).toEqual({ own: 'from the caller', host: new URL(host.url).host });
  });
});

describe('HTTPS', () => {
  let secured: Workplace;
  let https: { readonly port: number; readonly certificate: string; readonly key: string };

  beforeAll(async () => {
    secured = await createWorkplace();
    const { caCertificate, ...files } = await prepareCertificates(secured.folder, new Date());
    await trustCertificate(caCertificate);
    https = { port: 0, ...files };
  });
  afterAll(() => secured.remove());

  const withHttps = async (test: (host: HostProcess, url: string) => Promise<void>) => {
    const served = await startHostProcess(secured, { https });
    try {
      await test(served, z.string().parse(served.httpsUrl));
    } finally {
      await served.stop();
    }
  };

  test('serves the same functions, which see the URL that was asked for', () =>
    withHttps(async (_host, url) => {
      expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
      for (const asked of [`${url}/items/7?a=1`, `${url.replace('127.0.0.1', 'localhost')}/items/7?a=1`]) {
        expect(await (await fetch(asked)).json()).toMatchObject({ params: { id: '7' }, url: asked });
      }
      expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
    }));

  test('is beside HTTP: orchestrations are reached over either, and their links lead to HTTP', () =>
    withHttps(async ({ client, url }, httpsUrl) => {
      const id = await client('startNew', 'chain', { input: { from: 0 } });
      await vi.waitFor(async () => {
        const response = await fetch(`${httpsUrl}/runtime/webhooks/durabletask/instances/${id}`);
        expect(await response.json()).toMatchObject({ runtimeStatus: 'Completed' });
      });
      expect(await client('createHttpManagementPayload', id)).toMatchObject({
        statusQueryGetUri: expect.stringMatching(`^${url}/runtime/`),
      });
    }));

  test('says no HTTPS URL where it was not asked for', () => {
    expect(host.httpsUrl).toBeUndefined();
  });

  test('does not hold a stop up by a client that never finishes its handshake', async () => {
    const served = await startHostProcess(secured, { https });
    const socket = connect(Number(new URL(z.string().parse(served.httpsUrl)).port), '127.0.0.1');
    await once(socket, 'connect');
    const cut = once(socket, 'close');
    socket.on('error', () => undefined);
    await served.stop();
    await cut;
    expect(served.process.exitCode).toBe(0);
  });

  test('names the port that is taken, and leaves nothing open', async () => {
    const port = Number(new URL(host.url).port);
    await expect(startHostProcess(secured, { https: { ...https, port } })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken`,
    );
  });
});

describe('a system key', () => {
  const systemKey = 'the-key_of-this-host';
  let secured: Workplace;
  let guarded: HostProcess;

  beforeAll(async () => {
    secured = await createWorkplace();
    guarded = await startHostProcess(secured, { systemKey });
  });
  afterAll(async () => {
    await guarded.stop();
    await secured.remove();
  });

  const event = { id: 'one', eventType: 'test', data: {} };
  const deliver = (query: string, headers: Record<string, string> = {}) =>
    fetch(`${guarded.url}/runtime/webhooks/EventGrid?functionName=onBlob${query}`, {
      method: 'POST',
      headers: { 'aeg-event-type': 'Notification', 'content-type': 'application/json', ...headers },
      body: JSON.stringify([event]),
    });

  test('is asked of whoever delivers events', async () => {
    for (const wrong of [await deliver(''), await deliver('&code='), await deliver('&code=another')]) {
      expect([wrong.status, await wrong.text()]).toEqual([401, '']);
    }
    expect((await deliver('', { 'x-functions-key': 'another' })).status).toBe(401);
    expect((await deliver('', { 'aeg-sas-key': systemKey })).status).toBe(401);
    expect(await secured.evidence()).not.toContain('event one test');
    expect((await deliver(`&code=${systemKey}`)).status).toBe(202);
    expect((await deliver('', { 'x-functions-key': systemKey })).status).toBe(202);
    expect((await secured.evidence()).filter((line) => line === 'event one test')).toHaveLength(2);
  });

  test.each([
    ['GET', '/runtime/webhooks/durabletask/instances'],
    ['POST', '/RUNTIME/WEBHOOKS/DURABLETASK/orchestrators/chain'],
    ['POST', '/runtime/webhooks/durabletask/instances/one/terminate'],
    ['GET', '/runtime/webhooks/elsewhere'],
    ['GET', '/durabletask/instances'],
    ['POST', '/durabletask/orchestrators/chain'],
    ['GET', '/durabletask/wrong/instances'],
    ['GET', `/durabletask/${systemKey.toUpperCase()}/instances`],
  ])('is asked at %s %s', async (method, path) => {
    const response = await fetch(`${guarded.url}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([401, '']);
  });

  test('is in what the durable client is given: it works, and so do the links that it hands out', async () => {
    const id = z.string().parse(await guarded.client('startNew', 'waits'));
    await vi.waitFor(async () => expect(await guarded.status(id)).toMatchObject({ runtimeStatus: 'Running' }));
    const links = z.record(z.string(), z.string()).parse(await guarded.client('createHttpManagementPayload', id));
    for (const [name, link] of Object.entries(links)) {
      if (name !== 'id') expect(new URL(link).searchParams.get('code'), name).toBe(systemKey);
    }
    const { statusQueryGetUri = '', terminatePostUri = '' } = links;
    expect((await fetch(statusQueryGetUri)).status).toBe(202);
    expect((await fetch(terminatePostUri, { method: 'POST' })).status).toBe(202);
    expect((await fetch(statusQueryGetUri)).status).toBe(200);
    expect((await fetch(`${guarded.url}/check/${id}`)).status).toBe(202);
  });

  test('is not asked where the app answers', async () => {
    expect((await fetch(`${guarded.url}/items`)).status).toBe(200);
  });
});
