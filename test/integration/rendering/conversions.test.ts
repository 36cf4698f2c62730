import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runConversion } from '#lib/rendering';
import { boxGlb, quadFiles } from '../../support/models/index.ts';
import { at, newConversion } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { type ConversionGround, openGround } from './conversion-ground.ts';

let storage: TestStorage;
let ground: ConversionGround;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  ground = await openGround(storage.connectionString);
});

describe('a conversion', () => {
  test('leaves the asset, its description and its result under its own names, and once under its content', async () => {
    const { parts, order, run, written } = ground;
    await order('c', { 'chair.glb': boxGlb() });
    const record = await run('c');
    expect(record).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      result: { cached: false, input: { files: 1, triangles: 12 }, output: { triangles: 12 } },
    });
    expect(await written('c/')).toEqual(['c/chair.glb', 'c/chair.info.json', 'c/chair.result.json']);
    expect(await written('by-content/')).toHaveLength(2);
    expect(await runConversion(parts, 'c')).toEqual(parts.now());
    expect(await parts.conversions.get('c')).toEqual(record);
  });

  test('of what is not there leaves its result file and nothing else, and fails by name', async () => {
    const { order, run, written } = ground;
    const { 'quad.gltf': model = new Uint8Array() } = quadFiles();
    await order('c', { 'quad.gltf': model }, 'quad.gltf');
    const record = await run('c');
    expect(record).toMatchObject({ state: 'failed', attempts: 0, faults: 0, failure: { reason: 'missing_files' } });
    expect(record).toHaveProperty('failure.message', expect.stringContaining('.bin'));
    expect(await written('')).toEqual(['c/chair.result.json']);
  });
});

describe('the same bytes under two names', () => {
  test('at the same moment are converted once; the other waits, and copies', async () => {
    const { order, run, written } = ground;
    for (const id of ['one', 'two']) await order(id, { 'chair.glb': boxGlb() });
    const both = await Promise.all([run('one'), run('two')]);
    expect(both.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(both.map(({ attempts }) => attempts).sort()).toEqual([0, 1]);
    expect(both.map((record) => 'result' in record && record.result.cached).sort()).toEqual([false, true]);
    expect(await written('by-content/')).toHaveLength(2);
    expect([...(await written('one/')), ...(await written('two/'))]).toHaveLength(6);
  });

  test('are taken over from a conversion that has failed, and only then', async () => {
    const { parts, order, run } = ground;
    for (const id of ['first', 'second']) await order(id, { 'chair.glb': boxGlb() });
    // Its host died ten times while the converter ran; it holds the content, and is about to give up.
    await parts.conversions.update('first', (current) => ({ record: { ...current, attempts: 10 } }));
    const first = await run('first');
    expect(first).toMatchObject({ state: 'failed', attempts: 11, failure: { reason: 'conversion_failed' } });
    expect(first).toHaveProperty('failure.message', expect.stringContaining('started 10 times'));
    expect(await parts.claims.claim(first.contentKey ?? '', 'second')).toEqual({ holder: 'first', done: false });
    const second = await run('second');
    expect(second).toMatchObject({ state: 'succeeded', attempts: 1, result: { cached: false } });
    expect(await parts.claims.claim(first.contentKey ?? '', 'third')).toEqual({ holder: 'second', done: true });
  });

  test('whose converter runs elsewhere are waited for, and show how far it is', async () => {
    const { parts, order, run } = ground;
    for (const id of ['first', 'second']) await order(id, { 'chair.glb': boxGlb() });
    await parts.conversions.update('first', (current) => ({ record: { ...current, attempts: 10 } }));
    const { contentKey = '' } = await run('first');
    await parts.conversions.create(newConversion('elsewhere'));
    await parts.claims.takeOver(contentKey, 'first', 'elsewhere');
    const phases = ['importing', 'optimising', 'optimising', 'compressing'] as const;
    for (const phase of phases) {
      await parts.conversions.update('elsewhere', (current) => ({ record: { ...current, progress: { phase } } }));
      expect(await runConversion(parts, 'second')).toEqual(at(0.5));
      if (phase === 'importing') await runConversion(parts, 'second');
    }
    expect(await parts.conversions.get('second')).toMatchObject({
      state: 'running',
      attempts: 0,
      faults: 0,
      contentKey,
      progress: { phase: 'compressing' },
    });
    const told = (await parts.conversions.history('second')).filter(({ type }) => type === 'progress');
    expect(told.map(({ evidence }) => evidence).slice(-3)).toEqual(['importing', 'optimising', 'compressing']);
  });
});
