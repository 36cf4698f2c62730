import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
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
