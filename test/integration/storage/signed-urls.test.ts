import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BlobName, Blobs } from '#lib/storage';
import { testClock } from '../../support/records.ts';
import { watchRequests } from '../../support/sent-requests.ts';
import { type SecureTestStorage, startSecureStorage } from '../../support/stack.ts';

const chair = { container: 'models', name: 'chairs & more/ä chair+#1.glb' };
const table = { container: 'models', name: 'table.glb' };

let storage: SecureTestStorage;
beforeAll(async () => {
  storage = await startSecureStorage();
  const blobs = byIdentity();
  await blobs.prepare(['models']);
  await blobs.writeJson(chair, 'chair');
  await blobs.writeJson(table, 'table');
});
afterAll(() => storage.stop());

const byIdentity = (now = () => new Date()) => new Blobs(storage.access, now);
const byKey = (now = () => new Date()) =>
  new Blobs({ kind: 'connection-string', connectionString: storage.connectionString }, now);

const put = (url: string, body: string, query = '') =>
  fetch(`${url}${query}`, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body });
const status = async (sent: Promise<Response>) => (await sent).status;

/** The URL with one thing in it changed. */
function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url);
  change(copy);
  expect(copy.href).not.toBe(new URL(url).href);
  return copy.href;
}
const addressOf = (blob: BlobName) => new URL(byIdentity().address(blob)).pathname;

describe.each([
  ['identity', byIdentity],
  ["the account's key", byKey],
])('a URL signed by %s', (_, open) => {
  test('reads its one blob without any other right, and says until when', async () => {
    const { url, expiresOn } = await open().readUrl(chair, 60);
    expect(await (await fetch(url)).json()).toBe('chair');
    expect(expiresOn.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(expiresOn.getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(new Date(new URL(url).searchParams.get('se') ?? '')).toEqual(expiresOn);
  });

  test('is of no use over plain HTTP', async () => {
    const { url } = await open().readUrl(chair, 60);
    expect(new URL(url).searchParams.get('spr')).toBe('https');
  });

  test('to read it reads no other blob, and neither writes, lists nor deletes', async () => {
    const { url } = await open().readUrl(chair, 60);
    const other = changed(url, (copy) => {
      copy.pathname = addressOf(table);
    });
    expect(await status(fetch(other))).toBe(403);
    expect(await status(put(url, 'mine'))).toBe(403);
    expect(await status(fetch(url, { method: 'DELETE' }))).toBe(403);
    const container = changed(`${url}&restype=container&comp=list`, (copy) => {
      copy.pathname = addressOf({ ...chair, name: '' });
    });
    expect(await status(fetch(container))).toBe(403);
    expect(await open().readJson(chair)).toBe('chair');
  });

  test.each([
    ['sp', 'rwd'],
    ['se', '2099-01-01T00:00:00Z'],
    ['sig', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='],
  ])('whose %s was changed is refused', async (name, value) => {
    const { url } = await open().readUrl(chair, 60);
    expect(await status(fetch(changed(url, ({ searchParams }) => searchParams.set(name, value))))).toBe(403);
  });

  test('is over when it says so', async () => {
    const { url, expiresOn } = await open(() => new Date(Date.now() - 61_000)).readUrl(chair, 60);
    expect(expiresOn.getTime()).toBeLessThan(Date.now());
    expect(await status(fetch(url))).toBe(403);
  });

  test('begins a minute ago, for a service whose clock is behind', async () => {
    const { url } = await open(() => new Date(Date.now() + 50_000)).readUrl(chair, 60);
    expect(await status(fetch(url))).toBe(200);
  });

  test('to create a blob does so by one Put Blob, once', async () => {
    const blob = { container: 'models', name: `${crypto.randomUUID()}/new.glb` };
    const { url, expiresOn } = await open().createUrl(blob, 60);
    expect(expiresOn.getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(await status(put(url, '"first"'))).toBe(201);
    expect([403, 409]).toContain(await status(put(url, '"second"')));
    expect(await open().readJson(blob)).toBe('first');
  });

  test('to create a blob creates no other, stages no blocks of it, and does not read it', async () => {
    const blob = { container: 'models', name: `${crypto.randomUUID()}/new.glb` };
    const { url } = await open().createUrl(blob, 60);
    const other = changed(url, (copy) => {
      copy.pathname += '.bin';
    });
    expect(await status(put(other, 'mine'))).toBe(403);
    expect(await status(put(url, 'block', '&comp=block&blockid=AAAA'))).toBe(403);
    await put(url, '"first"');
    expect(await status(fetch(url))).toBe(403);
    expect(await status(fetch(url, { method: 'DELETE' }))).toBe(403);
  });
});

describe('an account that is opened by identity', () => {
  test('takes the same blobs as with its key: copies, reads, downloads', async () => {
    const copy = { container: 'models', name: 'copy/chair.glb' };
    await byIdentity().copy(chair, copy);
    expect(await byKey().readJson(copy)).toBe('chair');
    expect(await byIdentity().size({ container: 'models', name: 'nothing' })).toBeUndefined();
  });

  test('may have a slash at the end of its address', async () => {
    const blobs = new Blobs({ ...storage.access, blobServiceUri: `${storage.endpoints.blob}/` }, () => new Date());
    expect(await (await fetch((await blobs.readUrl(chair, 60)).url)).json()).toBe('chair');
  });

  test('signs nothing with a key of its own', async () => {
    const { searchParams } = new URL((await byIdentity().readUrl(chair, 60)).url);
    expect(searchParams.get('skoid')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the user delegation key', () => {
  const asked = 'comp=userdelegationkey';
  const HOUR = 3600;

  test('is asked for once, however many wait for it', async () => {
    using requests = watchRequests();
    const blobs = byIdentity();
    const urls = await Promise.all(Array.from({ length: 50 }, () => blobs.readUrl(chair, 60)));
    expect(urls).toHaveLength(50);
    await blobs.createUrl(table, 60);
    expect(requests.count(asked)).toBe(1);
  });

  test('is renewed a day before its end, once, so that no SAS outlives it', async () => {
    const clock = testClock();
    const blobs = byIdentity(clock.now);
    using requests = watchRequests();
    for (const [advance, keys] of [
      [0, 1],
      [23 * HOUR, 1],
      [2 * HOUR, 2],
      [23 * HOUR, 2],
      [100 * HOUR, 3],
    ] as const) {
      clock.advance(advance);
      const urls = await Promise.all([1, 2, 3].map(() => blobs.readUrl(chair, 24 * HOUR)));
      expect(requests.count(asked)).toBe(keys);
      for (const { url, expiresOn } of urls) {
        const { searchParams } = new URL(url);
        expect(expiresOn).toEqual(new Date(clock.now().getTime() + 24 * HOUR * 1000));
        expect(new Date(searchParams.get('ske') ?? '').getTime()).toBeGreaterThanOrEqual(expiresOn.getTime());
        expect(new Date(searchParams.get('skt') ?? '').getTime()).toBeLessThan(clock.now().getTime());
      }
    }
  });

  test('bounds a SAS that is to last longer', async () => {
    const { url, expiresOn } = await byIdentity().readUrl(chair, 30 * 24 * HOUR);
    const { searchParams } = new URL(url);
    expect(expiresOn).toEqual(new Date(searchParams.get('ske') ?? ''));
    expect(searchParams.get('se')).toBe(searchParams.get('ske'));
    expect(await status(fetch(url))).toBe(200);
  });

  test('serves to its end where no new one is given, and no SAS outlives it; then there is none', async () => {
    const clock = testClock();
    let given = true;
    const blobs = new Blobs({ ...storage.access, credential: { getToken } }, clock.now);
    async function getToken(scopes: string | string[]) {
      const token = await storage.access.credential.getToken(scopes);
      if (!given || token === null) throw new Error('The identity is gone.');
      // Asked for again at every request.
      return { ...token, expiresOnTimestamp: Date.now() };
    }
    const first = await blobs.readUrl(chair, 60);
    given = false;
    clock.advance(47 * HOUR);
    const late = await blobs.readUrl(chair, 2 * HOUR);
    expect(new URL(late.url).searchParams.get('ske')).toBe(new URL(first.url).searchParams.get('ske'));
    expect(late.expiresOn).toEqual(new Date(clock.now().getTime() + HOUR * 1000));
    clock.advance(2 * HOUR);
    await expect(blobs.readUrl(chair, 60)).rejects.toThrow('The identity is gone.');
    given = true;
    expect((await blobs.readUrl(chair, 60)).expiresOn.getTime()).toBeGreaterThan(clock.now().getTime());
  });
});

test.each([
  ['https', 'https'],
  ['http', null],
])(
  'A URL of an account of Azure over %s has its host, and asks for TLS where there is any: %s',
  async (scheme, spr) => {
    const key = Buffer.from('a key').toString('base64');
    const connectionString = `DefaultEndpointsProtocol=${scheme};AccountName=acct;AccountKey=${key};EndpointSuffix=core.windows.net`;
    const { url } = await new Blobs({ kind: 'connection-string', connectionString }, () => new Date()).readUrl(
      table,
      60,
    );
    expect(url).toMatch(`${scheme}://acct.blob.core.windows.net/models/table.glb?`);
    expect(new URL(url).searchParams.get('spr')).toBe(spr);
  },
);
