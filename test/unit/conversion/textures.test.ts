import { type Document, type Material, type Texture, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS, KHRMaterialsSpecular } from '@gltf-transform/extensions';
import validator from 'gltf-validator';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { png, quadGlb, unpack } from '../../support/models/index.ts';
import { assetOf, errorOf } from './convert-model.ts';

afterEach(() => vi.restoreAllMocks());

describe('textures', () => {
  it.each([
    ['without settings', null, [2048, 1024], 'image/webp'],
    ['with a settings file', {}, [2100, 1050], 'image/webp'],
    ['with a limit', { maxTextureSize: 100 }, [100, 50], 'image/webp'],
    ['without compression', { textureCompression: 'none', maxTextureSize: 100 }, [100, 50], 'image/jpeg'],
    ['as KTX2', { textureCompression: 'ktx2', maxTextureSize: 100 }, [100, 52], 'image/ktx2'],
  ])('are made %s', async (_name, settings, size, mimeType) => {
    const texture = await textureOf(quadGlb(await picture(2100, 1050, 'jpeg')), settings);
    expect(texture.getSize()).toEqual(size);
    expect(texture.getMimeType()).toBe(mimeType);
  });

  it('look as they did', async () => {
    const image = await picture(64, 64, 'png');
    const texture = await textureOf(quadGlb(image), null);
    const [before, after] = await Promise.all([pixels(image), pixels(texture.getImage() ?? image)]);
    expect(meanDifference(before, after)).toBeLessThan(5);
  });

  it.each(['none', 'webp'])('that are small already stay as they are: %s', async (textureCompression) => {
    const image = await picture(64, 64, 'webp');
    const texture = await textureOf(quadGlb(image), { textureCompression });
    expect(texture.getImage()).toEqual(image);
  });

  it('of a drawing lose nothing', async () => {
    const image = await drawing();
    const texture = await textureOf(quadGlb(image), null);
    expect(texture.getMimeType()).toBe('image/webp');
    expect((await pixels(texture.getImage() ?? image)).equals(await pixels(image))).toBe(true);
  });

  it.each([
    ['OPAQUE', 3],
    ['BLEND', 4],
    ['MASK', 4],
  ] as const)('of a material that is %s have %i channels', async (mode, channels) => {
    const model = await changed(quadGlb(await transparent()), (material) => material.setAlphaMode(mode));
    const texture = await textureOf(model, { maxTextureSize: 32 });
    expect(await sharp(texture.getImage() ?? new Uint8Array(0)).metadata()).toMatchObject({ channels, width: 32 });
  });

  it('keep their colours below an alpha that is no opacity', async () => {
    const model = await changed(quadGlb(await transparent()), (material, document, texture) => {
      const specular = document.createExtension(KHRMaterialsSpecular).createSpecular();
      material.setBaseColorTexture(null).setExtension('KHR_materials_specular', specular);
      specular.setSpecularTexture(texture).setSpecularColorTexture(texture);
    });
    const texture = await textureOf(model, { maxTextureSize: 32 });
    const [red = 0, green = 255] = await sharp(texture.getImage() ?? new Uint8Array(0))
      .removeAlpha()
      .raw()
      .toBuffer();
    expect(red).toBeGreaterThan(180);
    expect(green).toBeLessThan(40);
  });

  it('of one colour become the colour of their material', async () => {
    const { asset } = await assetOf(quadGlb(png(16, [255, 188, 0])), null);
    const root = (await unpack(asset)).getRoot();
    expect(root.listTextures()).toEqual([]);
    const colour = root.listMaterials()[0]?.getBaseColorFactor();
    expect(colour).toEqual([1, 0.5, 0, 1].map((value) => expect.closeTo(value, 2)));
    const [part] = root.listMeshes()[0]?.listPrimitives() ?? [];
    expect(part?.listSemantics()).not.toContain('TEXCOORD_0');
  });

  it('that cannot be decoded are dropped, with a warning', async () => {
    const image = await picture(64, 64, 'png');
    const broken = image.fill(0, 60);
    const { outcome, asset } = await assetOf(quadGlb(broken), null);
    expect(outcome.warnings).toMatchObject([
      { code: 'texture_unreadable', details: { texture: 'wood', material: 'wooden' } },
    ]);
    expect((await unpack(asset)).getRoot().listTextures()).toEqual([]);
  });

  it.each([
    ['jpeg', 0.5, 'webp'],
    ['jpeg', 0.5, 'none'],
    ['png', 0.9, 'webp'],
    ['png', 0.9, 'none'],
  ] as const)('that end early (%s) are shown as far as they go, with a warning', async (format, part, compression) => {
    const image = await picture(600, 400, format);
    const cut = image.slice(0, Math.floor(image.length * part));
    const { outcome, asset } = await assetOf(quadGlb(cut), { textureCompression: compression });
    expect(outcome.warnings).toEqual([
      {
        code: 'texture_cut_off',
        title: 'Texture ends before its last pixels',
        details: { texture: 'wood', material: 'wooden' },
      },
    ]);
    const [texture] = (await unpack(asset)).getRoot().listTextures();
    const shown = texture?.getImage() ?? new Uint8Array(0);
    // No viewer has to mend it again.
    await sharp(shown, { failOn: 'warning' }).stats();
    const top = { left: 0, top: 0, width: 600, height: 100 };
    const [before, after] = [
      await sharp(image).extract(top).raw().toBuffer(),
      await sharp(shown).extract(top).raw().toBuffer(),
    ];
    expect(meanDifference(before, after)).toBeLessThan(6);
  });

  it('of inks become colours', async () => {
    const inks = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
      .composite([{ input: Buffer.from(await picture(32, 64, 'png')), left: 0, top: 0 }])
      .toColourspace('cmyk')
      .jpeg({ quality: 95 })
      .toBuffer();
    expect((await sharp(inks).metadata()).space).toBe('cmyk');
    for (const textureCompression of ['none', 'webp']) {
      const texture = await textureOf(quadGlb(inks), { textureCompression });
      const image = texture.getImage() ?? new Uint8Array(0);
      expect((await sharp(image).metadata()).space).toBe('srgb');
      const right = { left: 60, top: 0, width: 1, height: 1 };
      const [red = 0, green = 255, blue = 255] = await sharp(image).extract(right).raw().toBuffer();
      expect([red > 180, green < 90, blue < 90]).toEqual([true, true, true]);
    }
  });

  it.each(['none', 'webp'])(
    'lie as they are stored, whatever a camera noted of itself: %s',
    async (textureCompression) => {
      const stored = await picture(64, 32, 'jpeg');
      const noted = await sharp(stored).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
      const texture = await textureOf(quadGlb(noted), { textureCompression });
      const image = texture.getImage() ?? new Uint8Array(0);
      expect((await sharp(image).metadata()).orientation ?? 1).toBe(1);
      expect(texture.getSize()).toEqual([64, 32]);
      expect(meanDifference(await pixels(stored), await pixels(image))).toBeLessThan(6);
    },
  );

  it('that move are their first picture', async () => {
    const frames = Buffer.concat([await pixels(await drawing()), Buffer.alloc(3 * 128 * 128)]);
    const moving = await sharp(frames, { raw: { width: 128, height: 256, channels: 3, pageHeight: 128 } })
      .webp({ lossless: true, delay: [100, 100] })
      .toBuffer();
    expect((await sharp(moving).metadata()).pages).toBe(2);
    const texture = await textureOf(quadGlb(moving), { textureCompression: 'none' });
    const image = texture.getImage() ?? new Uint8Array(0);
    expect((await sharp(image).metadata()).pages ?? 1).toBe(1);
    expect(meanDifference(await pixels(await drawing()), await pixels(image))).toBeLessThan(6);
  });

  it('may have bytes of no use between their parts', async () => {
    const image = Buffer.from(await picture(64, 64, 'jpeg'));
    const end = 4 + image.readUInt16BE(4);
    const filled = Buffer.concat([image.subarray(0, end), Buffer.alloc(3, 0xff), image.subarray(end)]);
    const texture = await textureOf(quadGlb(filled), { textureCompression: 'none' });
    expect(texture.getSize()).toEqual([64, 64]);
  });

  it.each([
    ['grey of 16 bits', 'grey16'],
    ['colours of 16 bits', 'rgb16'],
  ] as const)('of %s look the same in 8', async (_name, space) => {
    const image = await sharp(await picture(64, 64, 'png'))
      .toColourspace(space)
      .png()
      .toBuffer();
    expect((await sharp(image).metadata()).depth).toBe('ushort');
    const texture = await textureOf(quadGlb(image), { maxTextureSize: 64 });
    const eight = await sharp(image).toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer();
    expect(meanDifference(eight, await pixels(texture.getImage() ?? image))).toBeLessThan(6);
  });

  it.each([
    [1, 1],
    [1, 37],
    [300, 1],
  ])('may be of %i x %i pixels', async (width, height) => {
    for (const textureCompression of ['none', 'webp', 'ktx2']) {
      const settings = { textureCompression, sceneGraphMode: 'dynamic' };
      const texture = await textureOf(quadGlb(await picture(width, height, 'png')), settings);
      const whole = (side: number) => Math.max(4, 4 * Math.round(side / 4));
      const size = textureCompression === 'ktx2' ? [whole(width), whole(height)] : [width, height];
      expect(texture.getSize()).toEqual(size);
    }
  });

  it('that are too large are refused by the name of the limit, by their header alone', async () => {
    const header = Buffer.from(png(4, [1, 2, 3]));
    header.writeUInt32BE(20_000, 16);
    header.writeUInt32BE(20_000, 20);
    const error = await errorOf(quadGlb(header), { texturePixels: 10_000_000 });
    expect(error).toMatchObject({ code: 'limit', message: expect.stringContaining('400000000 pixels in one texture') });
    expect(error.message).toContain('(texturePixels)');
  });
});

describe('KTX2', () => {
  it('holds colours in ETC1S and directions in UASTC, with all mip levels, and prints nothing', async () => {
    const printed = vi.spyOn(process.stdout, 'write');
    const model = await changed(quadGlb(await picture(64, 32, 'png')), (material, document) => {
      material.setNormalTexture(
        document
          .createTexture('bumps')
          .setMimeType('image/png')
          .setImage(png(32, [128, 128, 255])),
      );
    });
    const { asset } = await assetOf(model, { textureCompression: 'ktx2' });
    expect(printed).not.toHaveBeenCalled();
    expect(await validator.validateBytes(asset)).toMatchObject({ issues: { numErrors: 0 } });
    const textures = (await unpack(asset)).getRoot().listTextures();
    const [colours, bumps] = textures.map((texture) => ktx2Header(texture.getImage() ?? new Uint8Array(0)));
    expect(colours).toEqual({ width: 64, height: 32, levels: 7, colourModel: 'ETC1S', isSrgb: true });
    expect(bumps).toMatchObject({ colourModel: 'UASTC', isSrgb: false });
  });

  it('has sides of whole blocks', async () => {
    const texture = await textureOf(quadGlb(await picture(30, 1, 'png')), { textureCompression: 'ktx2' });
    expect(texture.getSize()).toEqual([32, 4]);
  });

  it('stays as it is where it is there already', async () => {
    const first = await assetOf(quadGlb(await picture(32, 32, 'png')), { textureCompression: 'ktx2' });
    const [texture] = (await unpack(first.asset)).getRoot().listTextures();
    const again = await textureOf(first.asset, null);
    expect(again.getImage()).toEqual(texture?.getImage());
  });

  it('that is there already and too large stays, with a warning', async () => {
    const first = await assetOf(quadGlb(await picture(64, 32, 'png')), { textureCompression: 'ktx2' });
    const { outcome, asset } = await assetOf(first.asset, { maxTextureSize: 32 });
    expect(outcome.warnings).toMatchObject([
      { code: 'texture_kept', details: { texture: 'wood', material: 'wooden' } },
    ]);
    expect((await unpack(asset)).getRoot().listTextures()[0]?.getSize()).toEqual([64, 32]);
  });

  it.each([
    ['cube map', 36, 6],
    ['volume', 28, 4],
    ['array', 32, 2],
    ['without Basis Universal', 12, 37],
  ])('that glTF cannot have is dropped, with a warning: %s', async (name, at, value) => {
    const first = await assetOf(quadGlb(await picture(32, 32, 'png')), { textureCompression: 'ktx2' });
    const [texture] = (await unpack(first.asset)).getRoot().listTextures();
    const image = Buffer.from(texture?.getImage() ?? new Uint8Array(0));
    image.writeUInt32LE(value, at);
    const { outcome, asset } = await assetOf(quadGlb(image), null);
    const reason = expect.stringContaining(name);
    expect(outcome.warnings).toMatchObject([{ code: 'texture_unreadable', details: { texture: 'wood', reason } }]);
    expect((await unpack(asset)).getRoot().listTextures()).toEqual([]);
  });
});

async function textureOf(model: Uint8Array, settings: Record<string, unknown> | null): Promise<Texture> {
  const { asset, outcome } = await assetOf(model, settings);
  expect(outcome.warnings).toEqual([]);
  const [texture] = (await unpack(asset)).getRoot().listTextures();
  return texture ?? expect.fail('There is no texture.');
}

async function changed(
  model: Uint8Array,
  change: (material: Material, document: Document, texture: Texture) => void,
): Promise<Uint8Array> {
  const document = await unpack(model);
  const [material] = document.getRoot().listMaterials();
  const [texture] = document.getRoot().listTextures();
  if (material === undefined || texture === undefined) expect.fail('The model has no texture.');
  change(material, document, texture);
  return await new WebIO().registerExtensions(ALL_EXTENSIONS).writeBinary(document);
}

/** Soft shapes, as in a photograph. */
async function picture(
  width: number,
  height: number,
  format: 'png' | 'jpeg' | 'webp',
): Promise<Uint8Array<ArrayBuffer>> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return (
      128 +
      60 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7) +
      50 * Math.sin((x * y) / 300) +
      (((x * 7919 + y * 104_729) % 17) - 8)
    );
  });
  return new Uint8Array(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .toFormat(format, { quality: format === 'webp' ? 80 : 95 })
      .toBuffer(),
  );
}

/** Large flat shapes with sharp edges. */
async function drawing(): Promise<Uint8Array<ArrayBuffer>> {
  const side = 128;
  const [ground, disc] = [Buffer.from([255, 204, 0]), Buffer.from([0, 51, 170])];
  const data = Buffer.alloc(3 * side * side);
  for (let i = 0; i < side * side; i += 1) {
    const isInside = Math.hypot((i % side) - 50, Math.floor(i / side) - 60) < 30;
    (isInside ? disc : ground).copy(data, 3 * i);
  }
  const image = sharp(data, { raw: { width: side, height: side, channels: 3 } });
  return new Uint8Array(await image.png().toBuffer());
}

/** Red with a stripe of blue, both hardly to be seen. */
async function transparent(): Promise<Uint8Array<ArrayBuffer>> {
  const data = Uint8Array.from({ length: 64 * 64 * 4 }, (_, i) =>
    i % 4 === 3 ? (Math.floor(i / 4) % 64) / 8 : i % 4 === 0 ? 220 : i % 4 === 2 && i % 512 > 400 ? 255 : 0,
  );
  return new Uint8Array(
    await sharp(data, { raw: { width: 64, height: 64, channels: 4 } })
      .png()
      .toBuffer(),
  );
}

/** KTX 2.0, 3: what the header and the basic data format descriptor say. */
function ktx2Header(image: Uint8Array) {
  const header = Buffer.from(image);
  const descriptor = header.readUInt32LE(48) + 4;
  return {
    width: header.readUInt32LE(20),
    height: header.readUInt32LE(24),
    levels: header.readUInt32LE(40),
    colourModel: { 163: 'ETC1S', 166: 'UASTC' }[header.readUInt8(descriptor + 8)],
    isSrgb: header.readUInt8(descriptor + 10) === 2,
  };
}

function meanDifference(one: Uint8Array, other: Uint8Array): number {
  expect(other.length).toBe(one.length);
  return one.reduce((sum, value, i) => sum + Math.abs(value - (other[i] ?? 0)), 0) / one.length;
}

async function pixels(image: Uint8Array): Promise<Buffer> {
  return await sharp(image).removeAlpha().raw().toBuffer();
}
