import { describe, expect, it } from 'vitest';
import { modelReferences } from '#lib/conversion';
import { png } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { assimpModel, describeAssimpModels, importedDocument } from './imported-document.ts';

describe('a 3DS', () => {
  it('has +Z up, and its materials and textures', async () => {
    const files = { 'm.3ds': pyramid('C:\\MAPS\\WOOD.PNG'), 'maps/wood.png': png(4, [1, 2, 3]) };
    const { size, materials, outcome } = await importedDocument(files);
    expect(size).toEqual([1, 3, 2]);
    expect(materials).toMatchObject([{ name: 'paint', texture: 'image/png' }]);
    expect(outcome.warnings).toEqual([]);
  });

  it('reads images in the formats of its time', async () => {
    const tga = Buffer.concat([
      Buffer.from([0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 24, 0]),
      Buffer.from([0, 0, 255, 255, 0, 0]),
    ]);
    const { materials } = await importedDocument({ 'm.3ds': pyramid('WOOD.TGA'), 'WOOD.TGA': tga });
    expect(materials).toMatchObject([{ texture: 'image/png' }]);
  });

  it('warns of images that are not there or none', async () => {
    const missing = await importedDocument({ 'm.3ds': pyramid('WOOD.PNG') });
    expect(missing.outcome.warnings).toMatchObject([
      { code: '4004', details: { texture: 'WOOD.PNG', material: 'paint' } },
    ]);
    const broken = await importedDocument({ 'm.3ds': pyramid('WOOD.PNG'), 'WOOD.PNG': Buffer.from('no image at all') });
    expect(broken.outcome.warnings).toMatchObject([{ code: 'texture_unreadable', details: { material: 'paint' } }]);
  });

  it('names its images', async () => {
    const bytes = pyramid('..\\maps\\wood.png');
    const file = {
      size: bytes.length,
      read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
    };
    const found = await modelReferences(file, { find: async () => undefined });
    expect(found).toMatchObject([{ kind: 'texture', uri: '..\\maps\\wood.png', path: 'maps/wood.png' }]);
  });

  it('is refused where it was cut off, with the place', async () => {
    const whole = pyramid('WOOD.PNG');
    for (const part of [0.3, 0.6, 0.99]) {
      const error = await errorOf({ 'm.3ds': whole.subarray(0, Math.floor(whole.length * part)) });
      expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('the chunk at byte') });
    }
  });

  it('is refused where it has no geometry', async () => {
    const error = await errorOf({ 'm.3ds': chunk(0x4d4d, chunk(0x0002, Buffer.alloc(4, 3)), chunk(0x3d3d)) });
    expect(error.code).toBe('input_refused');
  });
});

describeAssimpModels('3DS files of other programs', () => {
  it.each(['3DS/RotatingCube.3DS', '3DS/CameraRollAnim.3ds'])('keep their animations: %s', async (path) => {
    const { document } = await importedDocument(await assimpModel(path));
    const times = document
      .getRoot()
      .listAnimations()
      .flatMap((animation) =>
        animation.listSamplers().flatMap((sampler) => [...(sampler.getInput()?.getArray() ?? [])]),
      );
    expect(times.length).toBeGreaterThan(1);
    expect(Math.max(...times)).toBeGreaterThan(0);
  });

  it('find images whose names are written in other cases', async () => {
    const { outcome } = await importedDocument(await assimpModel('3DS/test1.3ds'));
    expect(outcome.warnings).toEqual([]);
  });
});

/** Four faces of 1 × 2 × 3. */
function pyramid(image: string): Buffer {
  const corners = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
  const faces = [0, 2, 1, 0, 0, 1, 3, 0, 0, 3, 2, 0, 1, 2, 3, 0];
  const material = chunk(0xafff, chunk(0xa000, text('paint')), chunk(0xa200, chunk(0xa300, text(image))));
  const mesh = chunk(
    0x4100,
    chunk(0x4110, shorts(4), floats(corners)),
    chunk(0x4140, shorts(4), floats([0, 0, 1, 0, 0, 1, 1, 1])),
    chunk(0x4120, shorts(4, ...faces), chunk(0x4130, text('paint'), shorts(4, 0, 1, 2, 3))),
  );
  const editor = chunk(0x3d3d, material, chunk(0x4000, text('pyramid'), mesh));
  return chunk(0x4d4d, chunk(0x0002, Buffer.from([3, 0, 0, 0])), editor);
}

function chunk(id: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const header = Buffer.alloc(6);
  header.writeUInt16LE(id, 0);
  header.writeUInt32LE(6 + body.length, 2);
  return Buffer.concat([header, body]);
}

function text(content: string): Buffer {
  return Buffer.from(`${content}\0`, 'latin1');
}

function shorts(...values: readonly number[]): Buffer {
  return Buffer.from(Uint16Array.from(values).buffer);
}

function floats(values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
