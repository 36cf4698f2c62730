import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ModelFiles, modelFiles } from '../../../infra/local/demo/model-files.ts';
import { boxGlb, boxGltf, modelFolder, quadFiles } from '../../support/models/index.ts';

const namesOf = ({ files }: ModelFiles) => files.map(({ name }) => name);

async function expectRefusal(path: string, message: RegExp): Promise<void> {
  const refused = expect(modelFiles(path)).rejects;
  await refused.toMatchObject({ name: 'DemoError', code: 'no_model' });
  await expect(modelFiles(path)).rejects.toThrow(message);
}

test('Without a path it is a model of the demo’s own', async () => {
  const files = await modelFiles(undefined);
  expect(namesOf(files)).toEqual([files.model]);
  expect(Buffer.from((await files.files[0]?.read()) ?? []).toString('latin1', 0, 4)).toBe('glTF');
});

describe('A model file', () => {
  test.each([
    ['box.glb', boxGlb()],
    ['BOX.GLB', boxGlb()],
    ['box.gltf', boxGltf()],
  ])('%s that refers to nothing comes alone, with its bytes', async (name, bytes) => {
    await using folder = await modelFolder({ [name]: bytes, 'notes.txt': Buffer.from('none of it') });
    const { model, files } = await modelFiles(join(folder.input, name));
    expect(model).toBe(name);
    expect(files.map((file) => [file.name, file.bytes])).toEqual([[name, bytes.length]]);
    expect(Buffer.from((await files[0]?.read()) ?? [])).toEqual(Buffer.from(bytes));
  });

  test('brings what it refers to, decoded, and comes last itself', async () => {
    const uris = { bufferUri: 'parts/quad%201.bin', bufferPath: 'parts/quad 1.bin', textureUri: 'wood.png' };
    await using folder = await modelFolder({ ...quadFiles(uris), 'other.glb': boxGlb() });
    const names = namesOf(await modelFiles(join(folder.input, 'quad.gltf')));
    expect(names.at(-1)).toBe('quad.gltf');
    expect(names.toSorted()).toEqual(['parts/quad 1.bin', 'quad.gltf', 'wood.png']);
  });

  test('comes without what is not there: the pipeline says so', async () => {
    await using folder = await modelFolder({ 'quad.gltf': quadFiles()['quad.gltf'] ?? new Uint8Array(0) });
    expect(namesOf(await modelFiles(join(folder.input, 'quad.gltf')))).toEqual(['quad.gltf']);
  });

  test('never brings a file from outside of its folder', async () => {
    const files = quadFiles({ textureUri: '../wood.png', texturePath: 'wood.png' });
    await using folder = await modelFolder({
      'wood.png': files['wood.png'] ?? new Uint8Array(0),
      'inner/quad.gltf': files['quad.gltf'] ?? new Uint8Array(0),
      'inner/quad.bin': files['quad.bin'] ?? new Uint8Array(0),
    });
    expect(namesOf(await modelFiles(join(folder.input, 'inner/quad.gltf')))).toEqual(['quad.bin', 'quad.gltf']);
  });

  test.each([
    ['broken.glb', 'glTF and then nothing'],
    ['empty.glb', ''],
    ['broken.gltf', '{"asset":'],
  ])('%s that cannot be read comes alone: the conversion says what is wrong', async (name, content) => {
    await using folder = await modelFolder({ [name]: Buffer.from(content) });
    expect(namesOf(await modelFiles(join(folder.input, name)))).toEqual([name]);
  });

  test('of another format is refused', async () => {
    await using folder = await modelFolder({ 'notes.txt': Buffer.from('x') });
    await expectRefusal(join(folder.input, 'notes.txt'), /notes\.txt is no model of a format that is converted/);
  });
});

describe('A folder', () => {
  test('is its model with every file in it, the model last', async () => {
    await using folder = await modelFolder({
      ...quadFiles({ textureUri: 'textures/wood.png' }),
      'z.txt': Buffer.of(1),
    });
    const files = await modelFiles(folder.input);
    expect(files.model).toBe('quad.gltf');
    expect(namesOf(files)).toEqual(['quad.bin', 'textures/wood.png', 'z.txt', 'quad.gltf']);
  });

  test('may hold its model in a folder below', async () => {
    await using folder = await modelFolder({ 'inner/box.glb': boxGlb(), 'readme.md': Buffer.of(1) });
    expect(await modelFiles(folder.input)).toMatchObject({ model: 'inner/box.glb' });
  });

  test('with two models is refused, naming both', async () => {
    await using folder = await modelFolder({ 'a.glb': boxGlb(), 'inner/b.gltf': boxGltf() });
    await expectRefusal(folder.input, /2 models \(a\.glb, inner\/b\.gltf\); name one with --model/);
  });

  test('without a model is refused', async () => {
    await using folder = await modelFolder({ 'readme.md': Buffer.of(1) });
    await expectRefusal(folder.input, /holds no model/);
  });
});

test('Where there is nothing, the path is named', async () => {
  await using folder = await modelFolder({});
  await expectRefusal(join(folder.input, 'gone.glb'), /There is nothing at .*gone\.glb/);
});
