import { expect, test } from 'vitest';
import { sharedSave } from '../../../infra/local/shared-save.ts';

/** A save that ends when the test says so. */
function manualSaves() {
  const begun: PromiseWithResolvers<void>[] = [];
  const save = sharedSave(() => {
    const one = Promise.withResolvers<void>();
    begun.push(one);
    return one.promise;
  });
  return { begun, save };
}

test('Whoever asks while a save runs shares the next one, which begins when the first has ended', async () => {
  const { begun, save } = manualSaves();
  const first = save();
  const second = save();
  const third = save();
  expect(begun.length).toBe(1);
  begun[0]?.resolve();
  await first;
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve();
  await Promise.all([second, third]);
  expect(begun.length).toBe(2);
});

test('A save that was asked for later never counts as done by one that began before', async () => {
  const { begun, save } = manualSaves();
  const done: string[] = [];
  const first = save().then(() => done.push('first'));
  const second = save().then(() => done.push('second'));
  begun[0]?.resolve();
  await first;
  expect(done).toEqual(['first']);
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.resolve();
  await second;
});

test('A failed save fails for all who shared it, and the next one is tried afresh', async () => {
  const { begun, save } = manualSaves();
  const first = save();
  const shared = [save(), save()];
  begun[0]?.reject(new Error('disk full'));
  await expect(first).rejects.toThrow('disk full');
  await expect.poll(() => begun.length).toBe(2);
  begun[1]?.reject(new Error('still full'));
  for (const each of shared) await expect(each).rejects.toThrow('still full');
  const next = save();
  begun[2]?.resolve();
  await next;
});
