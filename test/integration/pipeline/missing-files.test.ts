import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { awaitFiles } from '#lib/pipeline';
import { Blobs } from '#lib/storage';
import { at } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { create, openParts, pass, passes, type TestParts } from './pipeline-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString);
});

/** Counts what is read of the blobs themselves. */
class CountedBlobs extends Blobs {
  reads = 0;

  override read(...given: Parameters<Blobs['read']>): ReturnType<Blobs['read']> {
    this.reads += 1;
    return super.read(...given);
  }
}

const gltf = (document: object) => Buffer.from(JSON.stringify({ asset: { version: '2.0' }, ...document }));
const chair = gltf({
  buffers: [{ uri: 'chair.bin', byteLength: 4 }],
  images: [{ uri: 'textures/wood.png' }],
});

describe('files that a model refers to', () => {
  test('are waited for by name, looked for every ten seconds, and convert once all are there', async () => {
    await parts.upload('chair/chair.gltf', chair);
    await create(parts, 'p');
    expect(await pass(parts, 'p')).toEqual(at(10));
    expect(await parts.pipelines.get('p')).toMatchObject({
      state: 'waiting',
      missingFiles: ['chair.bin', 'textures/wood.png'],
    });
    await parts.upload('chair/chair.bin');
    await pass(parts, 'p');
    expect((await parts.pipelines.get('p')).missingFiles).toEqual(['textures/wood.png']);
    await parts.upload('chair/textures/wood.png');
    expect(await passes(parts, 'p')).toMatchObject({ state: 'converting', missingFiles: [] });
  });

  test('are looked for by a listing, without reading the model again, until all that were missing are there', async () => {
    const blobs = new CountedBlobs(
      { kind: 'connection-string', connectionString: storage.connectionString },
      parts.now,
    );
    const counted = { ...parts, blobs };
    const look = async () => {
      const before = blobs.reads;
      await awaitFiles(counted, 'p');
      const { state, missingFiles } = await parts.pipelines.get('p');
      return { state, missingFiles, reads: blobs.reads - before };
    };
    await parts.upload('chair/chair.obj', Buffer.from('mtllib chair.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n'));
    await parts.upload('chair/chair.mtl', Buffer.from('newmtl a\nmap_Kd wood.png\nmap_Bump tex/bump.png\n'));
    await create(parts, 'p', { model: 'chair/chair.obj' });
    expect(await look()).toMatchObject({ missingFiles: ['wood.png', 'tex/bump.png'], reads: expect.any(Number) });
    expect(blobs.reads).toBeGreaterThan(1);
    expect(await look()).toEqual({ state: 'waiting', missingFiles: ['wood.png', 'tex/bump.png'], reads: 0 });
    await parts.upload('chair/wood.png');
    expect(await look()).toEqual({ state: 'waiting', missingFiles: ['tex/bump.png'], reads: 0 });
    expect(await look()).toEqual({ state: 'waiting', missingFiles: ['tex/bump.png'], reads: 0 });

    // What is read tells of other files from now on.
    await parts.upload('chair/chair.mtl', Buffer.from('newmtl a\nmap_Kd wood.png\nmap_Bump relief.png\n'));
    expect(await look()).toMatchObject({ state: 'waiting', missingFiles: ['relief.png'] });
    await parts.upload('chair/relief.png');
    expect(await look()).toMatchObject({ state: 'converting', missingFiles: [] });
    expect(await parts.pipelines.get('p')).not.toHaveProperty('awaitedFiles');
  });

  test('that may lie in several places are found in each of them', async () => {
    await parts.upload(
      'chair/chair.obj',
      Buffer.from('mtllib C:\\job\\chair.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n'),
    );
    await create(parts, 'p', { model: 'chair/chair.obj' });
    expect(await passes(parts, 'p')).toMatchObject({ state: 'waiting', missingFiles: ['job/chair.mtl'] });
    expect((await passes(parts, 'p')).state).toBe('waiting');
    await parts.upload('chair/chair.mtl', Buffer.from('newmtl a\n'));
    expect((await passes(parts, 'p')).state).toBe('converting');
  });

  test('that stay the same cause no further writes', async () => {
    await parts.upload('chair/chair.gltf', chair);
    await create(parts, 'p');
    await pass(parts, 'p');
    const { revision } = await parts.pipelines.get('p');
    await pass(parts, 'p');
    expect((await parts.pipelines.get('p')).revision).toBe(revision);
  });

  test('are waited for WAIT_FOR_FILES_SECONDS at most; then the conversion is to judge what is missing', async () => {
    await parts.upload('chair/chair.gltf', chair);
    await create(parts, 'p');
    parts.clock.advance(295);
    expect(await pass(parts, 'p')).toEqual(at(300));
    parts.clock.advance(5);
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'converting',
      missingFiles: ['chair.bin', 'textures/wood.png'],
    });
  });

  test('lie beside the model, also where that is in a folder of its folder', async () => {
    await parts.upload('chair/parts/seat.gltf', gltf({ buffers: [{ uri: 'seat.bin', byteLength: 4 }] }));
    await parts.upload('chair/seat.bin');
    await create(parts, 'p', { model: 'chair/parts/seat.gltf' });
    expect((await passes(parts, 'p')).state).toBe('waiting');
    await parts.upload('chair/parts/seat.bin');
    expect((await passes(parts, 'p')).state).toBe('converting');
  });

  test.each([
    ['the settings that were given', { settings: { 'material-override': 'shop.json' } }],
    ['the settings file beside the model', {}],
  ])('are waited for where %s name them: the material override file', async (_, body) => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await parts.upload('chair/chair.ConversionSettings.json', Buffer.from('{"material-override": "shop.json"}'));
    await create(parts, 'p', body);
    expect(await passes(parts, 'p')).toMatchObject({ state: 'waiting', missingFiles: ['shop.json'] });
    await parts.upload('chair/shop.json');
    expect(await passes(parts, 'p')).toMatchObject({ state: 'converting' });
  });

  test('are unknown of a model that is not there yet: it is waited for itself', async () => {
    await create(parts, 'p');
    expect(await passes(parts, 'p')).toMatchObject({ state: 'waiting', missingFiles: ['chair.gltf'] });
  });

  test('are none of a model that cannot be read: what is wrong with it is for the conversion to say', async () => {
    await parts.upload('chair/chair.gltf', Buffer.from('{'));
    await create(parts, 'p');
    expect((await passes(parts, 'p')).state).toBe('converting');
  });
});
