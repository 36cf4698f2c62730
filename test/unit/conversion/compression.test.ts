import { getBounds, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import validator from 'gltf-validator';
import { describe, expect, it } from 'vitest';
import { loadDracoDecoder } from '../../../lib/conversion/gltf/draco-decoder.ts';
import { animatedSkinGlb, boxGlb, pointsGlb, sheetGlb, unpack } from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';
import { flatSheetGlb } from './optimised-models.ts';

const compressions = ['meshopt', 'draco', 'none'] as const;
const extensions = { meshopt: 'EXT_meshopt_compression', draco: 'KHR_draco_mesh_compression', none: undefined };

describe('geometry', () => {
  it.each(compressions)('compressed by %s is what it was, and valid', async (geometryCompression) => {
    const { asset } = await assetOf(await flatSheetGlb(10, true), { geometryCompression });
    const report = await validator.validateBytes(asset);
    expect(report).toMatchObject({ issues: { numErrors: 0, numWarnings: 0 } });
    const document = await decode(asset);
    const [scene] = document.getRoot().listScenes();
    expect(scene && getBounds(scene)).toEqual({ min: [0, 0, 0], max: [1, 1, 0] });
    const [part] = document.getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    expect(part?.getAttribute('POSITION')?.getCount()).toBe(121);
    expect(part?.getIndices()?.getCount()).toBe(600);
    expect(part?.getAttribute('COLOR_0')?.getCount()).toBe(121);
  });

  it.each(compressions)('compressed by %s says so, and only so', async (geometryCompression) => {
    const { asset } = await assetOf(boxGlb(), { geometryCompression });
    const found = requiredBy(asset).filter((name) => Object.values(extensions).includes(name));
    expect(found).toEqual(extensions[geometryCompression] === undefined ? [] : [extensions[geometryCompression]]);
  });

  it.each(compressions)('that bends and moves survives %s', async (geometryCompression) => {
    const { asset } = await assetOf(animatedSkinGlb(), { geometryCompression });
    const root = (await decode(asset)).getRoot();
    expect(root.listAnimations()[0]?.listChannels()[0]?.getTargetNode()?.getName()).toBe('lower');
    expect(root.listSkins()[0]?.listJoints()).toHaveLength(2);
    const weights = root.listMeshes()[0]?.listPrimitives()[0]?.getAttribute('WEIGHTS_0');
    const sums = Array.from({ length: weights?.getCount() ?? 0 }, (_, i) =>
      weights?.getElement(i, []).reduce((a, b) => a + b, 0),
    );
    expect(sums).toEqual([1, 1, 1].map((sum) => expect.closeTo(sum, 5)));
  });

  it.each(compressions)('of points alone survives %s', async (geometryCompression) => {
    const { asset } = await assetOf(pointsGlb([0, 0, 0, 1, 2, 3]), { geometryCompression });
    const [part] = (await decode(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    expect(part?.getAttribute('POSITION')?.getElement(1, [])).toEqual([1, 2, 3]);
  });

  it.each([
    ['meshopt', 5],
    ['draco', 3],
    ['none', 1],
  ] as const)('is made smaller by %s', async (geometryCompression, factor) => {
    const { outcome } = await assetOf(sheetGlb(20_000), { geometryCompression });
    expect(outcome.summary.output.bytes * factor).toBeLessThan(outcome.summary.input.bytes);
  });

  it('has its positions to the last bit where they are to have 32', async () => {
    const third = Math.fround(1 / 3);
    const model = pointsGlb([third, 0, 0, 1, third, 0, 0, 1, third], { mode: 4 });
    for (const geometryCompression of compressions) {
      const { asset } = await assetOf(model, { geometryCompression });
      const [part] = (await decode(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
      expect(Array.from(part?.getAttribute('POSITION')?.getArray() ?? [])).toContain(third);
    }
  });
});

async function decode(asset: Uint8Array) {
  if (!requiredBy(asset).includes('KHR_draco_mesh_compression')) return await unpack(asset);
  const io = new WebIO().registerExtensions(ALL_EXTENSIONS);
  return await io.registerDependencies({ 'draco3d.decoder': await loadDracoDecoder() }).readBinary(asset);
}

/** What the file itself says, in the JSON chunk that a GLB begins with. */
function requiredBy(asset: Uint8Array): string[] {
  const length = new DataView(asset.buffer, asset.byteOffset).getUint32(12, true);
  const json: { extensionsRequired?: string[] } = JSON.parse(Buffer.from(asset.subarray(20, 20 + length)).toString());
  return json.extensionsRequired ?? [];
}
