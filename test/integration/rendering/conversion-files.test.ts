import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { boxGlb, type ModelFiles, png, quadFiles, quadGlb, sheetGlb } from '../../support/models/index.ts';
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

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const box = (size: number) => ({ outputStatistics: { boundingBox: { max: [size, size, size] } } });

describe('the settings of a conversion', () => {
  test('are those of the file beside the model, where none were given', async () => {
    const { order, run, document } = ground;
    await order('c', { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': json({ scaling: 3 }) });
    expect(await run('c')).toMatchObject({ state: 'succeeded', result: { input: { files: 1 } } });
    expect(await document('c/chair.info.json')).toMatchObject({ conversionSettings: { scaling: 3 }, ...box(3) });
  });

  test('are those that were given, which replace the file: what they leave out has its default', async () => {
    const { order, run, document } = ground;
    const files = { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': json({ scaling: 3 }) };
    await order('c', files, 'chair.glb', { recenterToOrigin: true });
    await run('c');
    const info = await document('c/chair.info.json');
    expect(info).toMatchObject({ conversionSettings: { recenterToOrigin: true }, ...box(1) });
    expect(info).not.toHaveProperty('conversionSettings.scaling');
  });

  test('are part of the content: the same model with another settings file is another asset', async () => {
    const { order, run } = ground;
    for (const [id, scaling] of [['one', 2] as const, ['two', 3] as const, ['three', 3] as const]) {
      await order(id, { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': json({ scaling }) });
      await run(id);
    }
    const records = await Promise.all(['one', 'two', 'three'].map((id) => ground.parts.conversions.get(id)));
    const [one, two, three] = records.map(({ contentKey }) => contentKey);
    expect(new Set([one, two, three]).size).toBe(2);
    expect(two).toBe(three);
    expect(records[2]).toMatchObject({ result: { cached: true } });
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      'a wrong value',
      json({ scaling: -1 }),
      /chair\.ConversionSettings\.json.*scaling.*-1.*(greater|positive|above|>)/s,
    ],
    ['an unknown key', json({ scalling: 2 }), /chair\.ConversionSettings\.json.*scalling/s],
    ['no JSON', new TextEncoder().encode('{"scaling": 2'), /chair\.ConversionSettings\.json.*JSON/s],
  ])(
    'are refused for %s, and the refusal names the file, the key, the value and what is allowed',
    async (_name, bytes, words) => {
      const { order, run, written, document } = ground;
      await order('c', { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': bytes });
      const record = await run('c');
      expect(record).toMatchObject({ state: 'failed', attempts: 0, failure: { reason: 'input_refused' } });
      expect(record).toHaveProperty('failure.message', expect.stringMatching(words));
      expect(await written('')).toEqual(['c/chair.result.json']);
      expect(await document('c/chair.result.json')).toContainEqual({ result: 'failed' });
    },
  );

  test('that are too long for a record are refused', async () => {
    const metadataKeys = Array.from({ length: 2000 }, (_, i) => `key-${i}`);
    const { order, run } = ground;
    await order('c', { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': json({ metadataKeys }) });
    expect(await run('c')).toMatchObject({ state: 'failed', failure: { reason: 'input_refused' } });
  });
});

describe('the material override file', () => {
  const overrides = json([{ name: 'painted', roughness: 0.25 }]);

  test('that is named after the model counts, and is part of the content', async () => {
    const { order, run } = ground;
    await order('without', { 'chair.glb': boxGlb() });
    await order('with', { 'chair.glb': boxGlb(), 'chair.MaterialOverrides.json': overrides });
    const [one, other] = [await run('without'), await run('with')];
    expect([one.state, other.state]).toEqual(['succeeded', 'succeeded']);
    expect(one.contentKey).not.toBe(other.contentKey);
  });

  test('that the settings file names counts', async () => {
    const { order, run } = ground;
    const settings = json({ 'material-override': 'looks/shop.json' });
    await order('c', {
      'chair.glb': boxGlb(),
      'looks/shop.json': overrides,
      'chair.ConversionSettings.json': settings,
    });
    expect(await run('c')).toMatchObject({ state: 'succeeded' });
  });

  test('that is named and not there fails the conversion by its name', async () => {
    const { order, run } = ground;
    const settings = json({ 'material-override': 'shop.json' });
    await order('c', { 'chair.glb': boxGlb(), 'chair.ConversionSettings.json': settings });
    const record = await run('c');
    expect(record).toMatchObject({
      failure: { reason: 'missing_files', message: expect.stringContaining('shop.json') },
    });
  });
});

describe('a limit', () => {
  test.each<[string, number, ModelFiles, string]>([
    ['CONVERSION_MAX_INPUT_BYTES', 1000, { 'chair.glb': sheetGlb(200) }, 'inputBytes'],
    ['CONVERSION_MAX_INPUT_FILES', 2, quadFiles({ bufferUri: 'chair.bin' }), 'inputFiles'],
    ['CONVERSION_MAX_NODES', 1, { 'chair.glb': boxGlb({ nodes: [{ mesh: 0, children: [1] }, {}] }) }, 'nodes'],
    ['CONVERSION_MAX_VERTICES', 23, { 'chair.glb': boxGlb() }, 'vertices'],
    ['CONVERSION_MAX_TEXTURE_PIXELS', 15, { 'chair.glb': quadGlb(png(4, [1, 2, 3])) }, 'texturePixels'],
    ['CONVERSION_MAX_MEMORY_BYTES', 2 ** 26, { 'chair.glb': sheetGlb(100_000) }, 'memoryBytes'],
    ['CONVERSION_TIMEOUT_SECONDS', 1, { 'chair.glb': sheetGlb(800_000) }, 'timeoutSeconds'],
  ])('of %s that is met fails the conversion with its name', async (setting, value, files, name) => {
    const { order, run, written } = await openGround(storage.connectionString, { [setting]: String(value) });
    const [model = ''] = Object.keys(files);
    await order('c', files, model);
    const record = await run('c');
    expect(record).toMatchObject({ state: 'failed', failure: { reason: 'limit' } });
    expect(record).toHaveProperty('failure.message', expect.stringContaining(name));
    expect(record).toHaveProperty('failure.message', expect.stringContaining(setting));
    expect(await written('')).toEqual(['c/chair.result.json']);
  });
});

describe('the files of a model', () => {
  const text = (lines: readonly string[]) => new TextEncoder().encode(lines.join('\n'));
  const obj = text([
    'mtllib paint.mtl',
    'v 0 0 0',
    'v 1 0 0',
    'v 1 1 0',
    'v 0 1 0',
    'vt 0 0',
    'vt 1 0',
    'vt 1 1',
    'vt 0 1',
    'usemtl wood',
    'f 1/1 2/2 3/3 4/4',
  ]);
  const mtl = text(['newmtl wood', 'Kd 1 1 1', 'map_Kd C:\\work\\textures\\wood.png']);

  test('are found through one another: an OBJ, its materials, and their textures by the rule of the contract', async () => {
    const { order, run } = ground;
    await order('c', { 'chair.obj': obj, 'paint.mtl': mtl, 'textures/wood.png': png(8, [9, 8, 7]) }, 'chair.obj');
    expect(await run('c')).toMatchObject({
      state: 'succeeded',
      result: { warnings: [], input: { files: 3, triangles: 2 }, output: { materials: 1 } },
    });
  });

  test('that are missing and no geometry are warned of', async () => {
    const { order, run } = ground;
    await order('c', { 'chair.obj': obj, 'paint.mtl': mtl }, 'chair.obj');
    const record = await run('c');
    expect(record).toMatchObject({ state: 'succeeded', result: { input: { files: 2 } } });
    expect(record).toHaveProperty(
      'result.warnings',
      expect.arrayContaining([expect.objectContaining({ code: '4004' })]),
    );
  });

  test('may have names that no file system takes; then they are refused', async () => {
    const { order, run } = ground;
    const bufferUri = `${'x'.repeat(300)}.bin`;
    await order('c', quadFiles({ bufferUri }), 'quad.gltf');
    expect(await run('c')).toMatchObject({ state: 'failed', failure: { reason: 'input_refused' } });
  });
});
