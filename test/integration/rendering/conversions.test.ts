import { randomUUID } from 'node:crypto';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ConversionRecord } from '#lib/records';
import { nextConversionStep, runConversion } from '#lib/rendering';
import { Blobs } from '#lib/storage';
import { boxGlb, type ModelFiles, quadFiles } from '../../support/models/index.ts';
import { at, newConversion } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { openParts, type TestParts } from './session-parts.ts';

let storage: TestStorage;
let parts: TestParts;
let models: ContainerClient;
let assets: ContainerClient;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  const [modelsName, assetsName] = [`models-${randomUUID()}`, `assets-${randomUUID()}`];
  const service = BlobServiceClient.fromConnectionString(storage.connectionString);
  models = service.getContainerClient(modelsName);
  assets = service.getContainerClient(assetsName);
  await Promise.all([models.create(), assets.create()]);
  const settings = { MODELS_CONTAINER: modelsName, ASSETS_CONTAINER: assetsName };
  // Storage checks the SAS of a copy by its own clock.
  const blobs = new Blobs({ kind: 'connection-string', connectionString: storage.connectionString }, () => new Date());
  parts = { ...(await openParts(storage.connectionString, settings)), blobs };
});

/** Puts a model's files into a folder, and a conversion of its file into the records. */
async function order(id: string, files: ModelFiles, file = 'chair.glb'): Promise<void> {
  for (const [path, bytes] of Object.entries(files)) {
    await models.getBlockBlobClient(`${id}/${path}`).upload(Buffer.from(bytes), bytes.length);
  }
  await parts.conversions.create({
    ...newConversion(id),
    locations: {
      input: { container: models.containerName, blobPrefix: `${id}/`, relativeInputAssetPath: file },
      output: { container: assets.containerName, blobPrefix: `${id}/`, outputAssetFilename: 'chair.glb' },
    },
  });
}

/** Passes of the conversion's orchestration, as often as it takes to come to its end. */
const run = (id: string): Promise<ConversionRecord> =>
  vi.waitFor(
    async () => {
      await runConversion(parts, id);
      const record = await parts.conversions.get(id);
      expect(nextConversionStep(record).step).toBeNull();
      return record;
    },
    { timeout: 15_000, interval: 20 },
  );

async function written(prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of assets.listBlobsFlat({ prefix })) names.push(name);
  return names.sort();
}

describe('a conversion', () => {
  test('leaves the asset, its description and its result under its own names, and once under its content', async () => {
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
    for (const id of ['one', 'two']) await order(id, { 'chair.glb': boxGlb() });
    const both = await Promise.all([run('one'), run('two')]);
    expect(both.map(({ state }) => state)).toEqual(['succeeded', 'succeeded']);
    expect(both.map(({ attempts }) => attempts).sort()).toEqual([0, 1]);
    expect(both.map((record) => 'result' in record && record.result.cached).sort()).toEqual([false, true]);
    expect(await written('by-content/')).toHaveLength(2);
    expect([...(await written('one/')), ...(await written('two/'))]).toHaveLength(6);
  });

  test('are taken over from a conversion that has failed, and only then', async () => {
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

  test('whose converter runs elsewhere are waited for', async () => {
    for (const id of ['first', 'second']) await order(id, { 'chair.glb': boxGlb() });
    await parts.conversions.update('first', (current) => ({ record: { ...current, attempts: 10 } }));
    const { contentKey = '' } = await run('first');
    await parts.conversions.create(newConversion('elsewhere'));
    await parts.claims.takeOver(contentKey, 'first', 'elsewhere');
    for (let look = 0; look < 3; look += 1) expect(await runConversion(parts, 'second')).toEqual(at(0.5));
    expect(await parts.conversions.get('second')).toMatchObject({
      state: 'running',
      attempts: 0,
      faults: 0,
      contentKey,
    });
  });
});
