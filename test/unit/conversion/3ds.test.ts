import type { Transform } from '@gltf-transform/extensions';
import { describe, expect, it } from 'vitest';
import { modelReferences } from '#lib/conversion';
import { png } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { assimpModel, describeAssimpModels, importedDocument, rounded, srgb } from './imported-document.ts';

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

  it('is a light grey where it has no material', async () => {
    const { materials } = await importedDocument({ 'm.3ds': pyramid(undefined) });
    expect(materials).toMatchObject([{ color: srgb(0.8, 0.8, 0.8) }]);
  });

  it('has textures where their scale and offset put them', async () => {
    const placed = [
      chunk(0xa354, floats([3])),
      chunk(0xa356, floats([2])),
      chunk(0xa358, floats([0.25])),
      chunk(0xa35a, floats([0.5])),
    ];
    const files = { 'm.3ds': pyramid('WOOD.PNG', { map: placed }), 'WOOD.PNG': png(4, [1, 2, 3]) };
    const { document } = await importedDocument(files);
    const info = document.getRoot().listMaterials()[0]?.getBaseColorTextureInfo();
    const transform = info?.getExtension<Transform>('KHR_texture_transform');
    // Heights are counted from the bottom in 3D Studio.
    expect([transform?.getOffset(), transform?.getScale()]).toEqual([
      [0.25, 1 - 3 - 0.5],
      [2, 3],
    ]);
  });

  it('turns about the axes of the world, as often as its angles say', async () => {
    const [quarter, half] = [Math.PI / 2, rounded(Math.SQRT1_2)];
    // A quarter about z, then one about x, then a whole turn about y; angles are counted clockwise.
    const turns = [
      [0, 0, 0, 0, 1],
      [10, -quarter, 0, 0, 1],
      [20, -quarter, 1, 0, 0],
      [60, -4 * quarter, 0, 1, 0],
    ];
    const { document } = await importedDocument({ 'm.3ds': pyramid('WOOD.PNG', { turns }) });
    const channels = document.getRoot().listAnimations()[0]?.listChannels() ?? [];
    const sampler = channels.find((channel) => channel.getTargetPath() === 'rotation')?.getSampler();
    const times = Array.from(sampler?.getInput()?.getArray() ?? [], (time) => Math.round(30 * time));
    const rotations = Array.from(sampler?.getOutput()?.getArray() ?? []);
    const at = (frame: number) => {
      const [x = 0, y = 0, z = 0, w = 0] = rotations.slice(4 * times.indexOf(frame), 4 * times.indexOf(frame) + 4);
      return [x, y, z, w].map((value) => rounded(value * Math.sign(w || 1)) + 0);
    };
    expect(times).toEqual([0, 10, 20, 30, 40, 50, 60]);
    expect(at(10)).toEqual([0, 0, half, half]);
    expect(at(20)).toEqual([0.5, -0.5, 0.5, 0.5]);
    // A quarter about y of what is there.
    expect(at(30)).toEqual([half, 0, 0, half]);
    expect(at(60)).toEqual(at(20));
  });

  it('is read where it is shorter than it says, but whole', async () => {
    const long = pyramid(undefined);
    long.writeUInt32LE(long.length + 100, 2);
    const { size, outcome } = await importedDocument({ 'm.3ds': long });
    expect(size).toEqual([1, 3, 2]);
    expect(outcome.warnings).toMatchObject([{ code: 'size_mended', details: { missingBytes: '100' } }]);
  });

  it('is read where a name has characters that are none, or a texture coordinate is no number', async () => {
    const [name, twoKeys] = [
      'py\u0001amid',
      [
        [0, 0, 0, 0, 1],
        [9, 1, 0, 0, 1],
      ],
    ];
    const odd = pyramid('WOOD.PNG', { turns: twoKeys, name, coordinate: Number.NaN });
    const { size } = await importedDocument({ 'm.3ds': odd, 'WOOD.PNG': png(4, [1, 2, 3]) });
    expect(size).toEqual([1, 3, 2]);
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

  it('move to where their meshes were written', async () => {
    const { document } = await importedDocument(await assimpModel('3DS/RotatingCube.3DS'));
    const channels = document.getRoot().listAnimations()[0]?.listChannels() ?? [];
    const sampler = channels.find((channel) => channel.getTargetPath() === 'rotation')?.getSampler();
    const frame = 180;
    const rotations = sampler?.getOutput()?.getArray() ?? [];
    const [x = 0, y = 0, z = 0, w = 0] = Array.from(rotations.slice(4 * frame, 4 * frame + 4));
    // The first row of the mesh's matrix in the file.
    const row = [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)];
    expect(row.map((value) => rounded(value))).toEqual([-0.071, -0.09, -0.993]);
  });

  it('find images whose names are written in other cases', async () => {
    const { outcome } = await importedDocument(await assimpModel('3DS/test1.3ds'));
    expect(outcome.warnings).toEqual([]);
  });
});

/** What a pyramid of these tests has beside its faces. */
interface PyramidParts {
  /** Chunks of its material's map. */
  readonly map?: readonly Buffer[];
  /** Frame, angle and axis. */
  readonly turns?: readonly (readonly number[])[];
  readonly name?: string;
  /** The first of its texture coordinates. */
  readonly coordinate?: number;
}

/** Four faces of 1 × 2 × 3; without an image they have no material. */
function pyramid(
  image: string | undefined,
  { map = [], turns, name = 'pyramid', coordinate = 0 }: PyramidParts = {},
): Buffer {
  const corners = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
  const faces = [0, 2, 1, 0, 0, 1, 3, 0, 0, 3, 2, 0, 1, 2, 3, 0];
  const material =
    image === undefined
      ? []
      : [chunk(0xafff, chunk(0xa000, text('paint')), chunk(0xa200, chunk(0xa300, text(image)), ...map))];
  const painted = image === undefined ? [] : [chunk(0x4130, text('paint'), shorts(4, 0, 1, 2, 3))];
  const mesh = chunk(
    0x4100,
    chunk(0x4110, shorts(4), floats(corners)),
    chunk(0x4140, shorts(4), floats([coordinate, 0, 1, 0, 0, 1, 1, 1])),
    chunk(0x4120, shorts(4, ...faces), ...painted),
  );
  const editor = chunk(0x3d3d, ...material, chunk(0x4000, text(name), mesh));
  const motion = turns === undefined ? [] : [keyframer(name, turns)];
  return chunk(0x4d4d, chunk(0x0002, Buffer.from([3, 0, 0, 0])), editor, ...motion);
}

function keyframer(name: string, turns: readonly (readonly number[])[]): Buffer {
  const keys = turns.map(([frame = 0, ...turn]) => Buffer.concat([longs(frame), shorts(0), floats(turn)]));
  const rotations = chunk(0xb021, shorts(0), longs(0, 0, turns.length), ...keys);
  const positions = chunk(0xb020, shorts(0), longs(0, 0, 1), Buffer.concat([longs(0), shorts(0), floats([0, 0, 0])]));
  const scales = chunk(0xb022, shorts(0), longs(0, 0, 1), Buffer.concat([longs(0), shorts(0), floats([1, 1, 1])]));
  const node = [
    chunk(0xb030, shorts(0)),
    chunk(0xb010, text(name), shorts(0, 0, 0xffff)),
    chunk(0xb013, floats([0, 0, 0])),
  ];
  return chunk(0xb000, chunk(0xb008, longs(0, 60)), chunk(0xb002, ...node, positions, rotations, scales));
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

function longs(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function floats(values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
