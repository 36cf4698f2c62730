import { expect, test, vi } from 'vitest';
import type { ListedBlob } from '../../../infra/local/blob-created.ts';
import { createDelivery } from '../../../infra/local/event-delivery.ts';

function blob(path: string, eTag: string): ListedBlob {
  return {
    container: 'models',
    path,
    url: `http://storage/models/${path}`,
    eTag,
    contentType: 'model/gltf-binary',
    bytes: 1,
    lastModified: new Date(0),
  };
}

function delivery(acknowledged: Record<string, string> = {}) {
  const posted: string[] = [];
  const saved: Record<string, string>[] = [];
  const failing = new Set<string>();
  const pauses: number[] = [];
  const clock = { now: 0 };
  const { offer, stop } = createDelivery({
    acknowledged: new Map(Object.entries(acknowledged)),
    now: () => clock.now,
    post: async ({ path, eTag }) => {
      posted.push(`${path}@${eTag}`);
      if (failing.has(path)) throw new Error('not now');
    },
    save: async (latest) => {
      saved.push(Object.fromEntries(latest));
    },
    onFailure: (_blob, _error, pause) => pauses.push(pause),
  });
  return { posted, saved, failing, pauses, clock, offer, stop };
}

test('A blob is announced once per version, and what is acknowledged is saved', async () => {
  const { offer, posted, saved } = delivery();
  offer([blob('a/a.glb', '1')]);
  await vi.waitFor(() => expect(saved).toEqual([{ 'a/a.glb': '1' }]), { timeout: 20_000 });
  offer([blob('a/a.glb', '1')]);
  offer([blob('a/a.glb', '2')]);
  await vi.waitFor(() => expect(saved.at(-1)).toEqual({ 'a/a.glb': '2' }), { timeout: 20_000 });
  expect(posted).toEqual(['a/a.glb@1', 'a/a.glb@2']);
});

test('What an earlier run had acknowledged is not announced again', async () => {
  const { offer, posted, stop } = delivery({ 'a/a.glb': '1' });
  offer([blob('a/a.glb', '1')]);
  await stop();
  expect(posted).toEqual([]);
});

test('A refused event is tried again after a growing pause and holds no other up', async () => {
  const { offer, posted, failing, pauses, clock } = delivery();
  failing.add('a/a.glb');
  const listing = [blob('a/a.glb', '1'), blob('b/b.glb', '1')];
  offer(listing);
  await vi.waitFor(() => expect(pauses).toEqual([1000]), { timeout: 20_000 });
  expect(posted).toContain('b/b.glb@1');
  offer(listing);
  expect(posted.filter((each) => each === 'a/a.glb@1').length).toBe(1);
  for (const [attempt, pause] of [2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
    clock.now += pauses.at(-1) ?? 0;
    offer(listing);
    await vi.waitFor(() => expect(pauses[attempt + 1]).toBe(pause), { timeout: 20_000 });
  }
  failing.clear();
  clock.now += 30_000;
  offer(listing);
  await vi.waitFor(() => expect(posted.filter((each) => each === 'a/a.glb@1').length).toBe(8), { timeout: 20_000 });
});

test('A new version is announced at once, even while the old one pauses', async () => {
  const { offer, posted, failing, pauses } = delivery();
  failing.add('a/a.glb');
  offer([blob('a/a.glb', '1')]);
  await vi.waitFor(() => expect(pauses.length).toBe(1), { timeout: 20_000 });
  offer([blob('a/a.glb', '2')]);
  await vi.waitFor(() => expect(posted).toEqual(['a/a.glb@1', 'a/a.glb@2']), { timeout: 20_000 });
});

test('A deleted blob is forgotten, so that the same name is announced when it comes back', async () => {
  const { offer, posted, saved } = delivery({ 'a/a.glb': '1' });
  offer([]);
  offer([blob('a/a.glb', '1')]);
  await vi.waitFor(() => expect(saved.length).toBe(1), { timeout: 20_000 });
  expect(posted).toEqual(['a/a.glb@1']);
});

test('More blobs than are posted at once are all announced', async () => {
  const { offer, posted } = delivery();
  const many = Array.from({ length: 100 }, (_, index) => blob(`${index}/m.glb`, '1'));
  offer(many);
  await vi.waitFor(() => expect(new Set(posted).size).toBe(100), { timeout: 20_000 });
});
