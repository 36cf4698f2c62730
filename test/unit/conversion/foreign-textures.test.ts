import { describe, expect, it } from 'vitest';
import { bmp, dds, png, psd, quadFiles, tga, unpack } from '../../support/models/index.ts';
import { assetOf } from './convert-model.ts';

const [red, green] = [0xf800, 0x07e0];

describe('textures of other formats', () => {
  it.each([
    ['wall.dds', dds({ format: 'DXT1', data: bc1(red, green) })],
    ['wall.psd', psd({ channels: 3, data: Buffer.from([255, 0, 0, 255, 0, 255, 255, 0, 0, 0, 0, 0]) })],
    ['wall.tga', tga({ kind: 2, bits: 24, data: [0, 0, 255, 0, 255, 0, 0, 255, 0, 0, 0, 255] })],
    ['wall.bmp', bmp({ bits: 24, data: [0, 0, 255, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0] })],
    // Of another content than its name.
    ['wall.jpg', dds({ format: 'DXT1', data: bc1(red, green) })],
  ])('are there in a model that names them: %s', async (name, image) => {
    for (const files of [objWith({ [name]: image }), gltfWith(name, image)]) {
      const { outcome, asset } = await assetOf(files, null);
      expect(outcome.warnings).toEqual([]);
      const [material] = (await unpack(asset)).getRoot().listMaterials();
      expect(material?.getBaseColorTexture()?.getMimeType()).toMatch(/^image\/(png|webp)$/);
    }
  });

  it('that cannot be read are left out, with what they are', async () => {
    const cube = dds({ format: 'DXT1', caps: 0x200, data: Buffer.alloc(48) });
    for (const files of [objWith({ 'sky.dds': cube }), gltfWith('sky.dds', cube)]) {
      const { outcome, asset } = await assetOf(files, null);
      const details = { texture: 'sky.dds', reason: expect.stringContaining('DDS cube map') };
      expect(outcome.warnings).toMatchObject([{ code: 'texture_unreadable', details }]);
      expect((await unpack(asset)).getRoot().listTextures()).toEqual([]);
    }
  });

  it('that end early are used, with a warning', async () => {
    const cut = dds({ width: 64, height: 64, format: 'DXT1', data: Buffer.concat([bc1(red, green), bc1(green, red)]) });
    for (const files of [objWith({ 'wall.dds': cut }), gltfWith('wall.dds', cut)]) {
      const { outcome, asset } = await assetOf(files, null);
      expect(outcome.warnings).toMatchObject([{ code: 'texture_cut_off', details: { texture: 'wall.dds' } }]);
      expect((await unpack(asset)).getRoot().listTextures()).toHaveLength(1);
    }
  });

  it('that several materials name, by several names, are stored once', async () => {
    const image = tga({ kind: 2, bits: 24, data: [0, 0, 255, 0, 255, 0, 0, 255, 0, 0, 0, 255] });
    const { asset } = await assetOf(objWith({ 'wall.tga': image, 'copy/wall.tga': image }), {
      deduplicateMaterials: false,
    });
    const root = (await unpack(asset)).getRoot();
    expect(root.listMaterials()).toHaveLength(2);
    expect(root.listTextures()).toHaveLength(1);
  });
});

/** Two quads with a material for each image. */
function objWith(images: Readonly<Record<string, Uint8Array>>) {
  const names = Object.keys(images);
  const faces = names.map((_, i) => `usemtl m${i}\nf 1/1 2/2 3/3 4/4`).join('\n');
  const materials = names.map((name, i) => `newmtl m${i}\nKd 1 1 1\nmap_Kd ${name}`).join('\n');
  const corners = 'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1';
  return {
    'model.obj': Buffer.from(`mtllib model.mtl\n${corners}\n${faces}\n`),
    'model.mtl': Buffer.from(`${materials}\n`),
    ...images,
  };
}

function gltfWith(textureUri: string, image: Uint8Array) {
  return { ...quadFiles({ textureUri }), [textureUri]: image, 'unused.png': png(4, [1, 2, 3]) };
}

/** A block of two colours, side by side. */
function bc1(one: number, other: number): Buffer {
  const block = Buffer.alloc(8, 0x50);
  block.writeUInt16LE(one, 0);
  block.writeUInt16LE(other, 2);
  return block;
}
