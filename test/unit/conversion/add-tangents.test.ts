import { WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS, KHRMaterialsClearcoat } from '@gltf-transform/extensions';
import { normals } from '@gltf-transform/functions';
import { describe, expect, it } from 'vitest';
import { quadGlb, unpack } from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';

describe('a material whose coating has a normal map of its own', () => {
  it('gets the tangents that no viewer makes for it', async () => {
    const { outcome, asset } = await assetOf(await coatedQuad({ withNormals: true }));
    const [primitive] = (await unpack(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    expect(primitive?.getAttribute('TANGENT')?.getElement(0, [])).toEqual([1, 0, 0, 1]);
    expect(primitive?.getAttribute('POSITION')?.getCount()).toBe(4);
    expect(outcome.warnings).toEqual([]);
  });

  it('gets them from normals that are made for it, where the geometry has none', async () => {
    const { outcome, asset } = await assetOf(await coatedQuad({ withNormals: false }));
    const [primitive] = (await unpack(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
    expect(primitive?.getAttribute('TANGENT')?.getElement(0, [])).toEqual([1, 0, 0, 1]);
    expect(outcome.warnings).toEqual([]);
  });

  it('gets them where some triangles, or all, have corners in one place', async () => {
    for (const indices of [
      [0, 1, 2, 0, 0, 1],
      [0, 0, 1, 2, 2, 2],
    ]) {
      const { outcome, asset } = await assetOf(await coatedQuad({ withNormals: true, indices }));
      const [primitive] = (await unpack(asset)).getRoot().listMeshes()[0]?.listPrimitives() ?? [];
      expect(primitive?.getAttribute('TANGENT')?.getElement(0, [])).toEqual([1, 0, 0, 1]);
      expect(outcome.warnings).toEqual([]);
    }
  });

  it('loses that map, with a warning, where the geometry has no texture coordinates to make them from', async () => {
    const { outcome } = await assetOf(await coatedQuad({ withNormals: true, withTexcoords: false }));
    expect(outcome.warnings).toMatchObject([{ code: 'tangents_missing', details: { material: 'wooden' } }]);
  });
});

interface QuadParts {
  readonly withNormals: boolean;
  readonly withTexcoords?: boolean;
  readonly indices?: readonly number[];
}

async function coatedQuad({ withNormals, withTexcoords = true, indices }: QuadParts): Promise<Uint8Array> {
  const io = new WebIO().registerExtensions(ALL_EXTENSIONS);
  const document = await io.readBinary(quadGlb());
  const [material] = document.getRoot().listMaterials();
  const texture = document.getRoot().listTextures()[0] ?? null;
  const coating = document.createExtension(KHRMaterialsClearcoat).createClearcoat().setClearcoatFactor(1);
  material?.setExtension('KHR_materials_clearcoat', coating.setClearcoatNormalTexture(texture));
  if (withNormals) await document.transform(normals());
  if (indices)
    document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.getIndices()?.setArray(Uint16Array.from(indices));
  if (!withTexcoords) {
    // The texture of the base would miss them too.
    material?.setBaseColorTexture(null);
    document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.setAttribute('TEXCOORD_0', null);
  }
  return await io.writeBinary(document);
}
