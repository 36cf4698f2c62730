import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isModelFile, localFolder, type ModelFile, type ModelFolder, modelReferences } from '#lib/conversion';
import { boxGlb, boxGltf, glb, quadFiles, quadGlb, sheetGlb } from '../../support/models/index.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const emptyFolder = folderOf({});

/** Absolute, on a drive, above the folder, or read as another path on Windows. */
const OUTSIDE = /^\/|^[a-z]:|(^|\/)\.\.(\/|$)|\\/i;

describe('a model file', () => {
  it.each(['box.glb', 'box.gltf', 'folder.with.dots/Box.GLB'])('is %s', (name) => {
    expect(isModelFile(name)).toBe(true);
  });

  it.each(['box.bin', 'box.png', 'glb', 'box.glb.txt', 'box', 'box.gltf/readme.md'])('is not %s', (name) => {
    expect(isModelFile(name)).toBe(false);
  });
});

describe('the references of a model', () => {
  it('are the buffers and textures of a .gltf', async () => {
    expect(await referencesOf(gltf('quad.bin', 'wood.png'))).toEqual([
      { kind: 'buffer', uri: 'quad.bin', path: 'quad.bin', paths: ['quad.bin'], found: undefined },
      { kind: 'texture', uri: 'wood.png', path: 'wood.png', paths: ['wood.png'], found: undefined },
    ]);
  });

  it('say which of them lie beside the model', async () => {
    const folder = folderOf({ 'wood.png': new Uint8Array(7) });
    expect(await referencesOf(gltf('quad.bin', 'wood.png'), folder)).toMatchObject([
      { path: 'quad.bin', found: undefined },
      { path: 'wood.png', found: { size: 7 } },
    ]);
  });

  it.each([
    ['my%20texture.png', 'my texture.png'],
    ['my texture.png', 'my texture.png'],
    ['H%C3%B6lzer/%E6%9C%A8.png', 'Hölzer/木.png'],
    ['textures\\wood.png', 'textures/wood.png'],
    ['./a/./b/../wood.png', 'a/wood.png'],
    ['100%.png', '100%.png'],
  ])('are decoded and normalised: %s', async (uri, path) => {
    expect(await referencesOf(gltf(uri, uri))).toEqual([
      { kind: 'buffer', uri, path, paths: expect.arrayContaining([path]), found: undefined },
    ]);
  });

  it('are none where the model holds all its data', async () => {
    expect(await referencesOf(boxGlb())).toEqual([]);
    expect(await referencesOf(boxGltf())).toEqual([]);
    expect(await referencesOf(quadGlb())).toEqual([]);
  });

  it('are told by content, not by name: a GLB may have some too', async () => {
    const model = glb({ asset: { version: '2.0' }, images: [{ uri: 'wood.png' }] });
    expect(await referencesOf(model)).toMatchObject([{ kind: 'texture', path: 'wood.png' }]);
  });

  it('may follow a byte order mark', async () => {
    expect(await referencesOf(Buffer.concat([Buffer.from('\ufeff'), gltf('a.bin', 'b.png')]))).toHaveLength(2);
  });

  const outside = [
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    '/etc/passwd',
    '\\\\server\\share\\a.bin',
    'C:\\models\\a.bin',
    'C%3A/models/a.bin',
    'a/../../b.bin',
    'http://example.com/a.bin',
    'https://example.com/a.bin',
    'file:///etc/passwd',
    'a%00.bin',
    'folder/',
    '..',
    '',
  ];

  it.each(outside)('refuse geometry from %j', async (uri) => {
    const refusal = { code: 'input_refused', message: expect.stringContaining(`'${uri}'`) };
    await expect(referencesOf(gltf(uri, 'wood.png'))).rejects.toMatchObject(refusal);
  });

  it.each(['http://example.com/a.bin', 'https://example.com/a.bin', '..', ''])(
    'leave out a texture from %j, which nobody can bring',
    async (uri) => {
      expect(await referencesOf(gltf('quad.bin', uri))).toMatchObject([{ kind: 'buffer', path: 'quad.bin' }]);
    },
  );

  it.each([
    ['../../textures/wood.png', 'textures/wood.png'],
    ['..%2ftextures%2fwood.png', 'textures/wood.png'],
    ['/home/me/wood.png', 'home/me/wood.png'],
    ['C:\\models\\wood.png', 'models/wood.png'],
    ['file:///models/wood.png', 'models/wood.png'],
  ])('look for a texture from %j by the end of its path', async (uri, path) => {
    expect(await referencesOf(gltf('quad.bin', uri))).toMatchObject([{}, { path }]);
    const folder = folderOf({ 'wood.png': new Uint8Array(7) });
    expect(await referencesOf(gltf('quad.bin', uri), folder)).toMatchObject([
      {},
      { path: 'wood.png', found: { size: 7 } },
    ]);
  });

  it.each(['a:..', 'a:b:', 'x/a: ..', 'c:\\c:..\\a'])(
    'never lead out of the folder by a drive within: %s',
    async (uri) => {
      for (const { paths } of await referencesOf(gltf('quad.bin', uri)))
        for (const path of paths) expect(path).not.toMatch(OUTSIDE);
    },
  );

  it('never lead out of the folder, whatever the URI', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('..', '.', '/', '\\', '%2e', '%2F', 'a', ':', ' ')), async (parts) => {
        for (const { paths } of await referencesOf(gltf('quad.bin', parts.join('')))) {
          for (const path of paths) expect(path).not.toMatch(OUTSIDE);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it.each(['../secret.bin', '..', '/etc/hostname', 'a/../../secret.bin'])(
    'are not looked for outside of a folder of this machine: %s',
    async (path) => {
      await using directory = await temporaryDirectory();
      const folder = join(directory.path, 'model');
      await mkdir(join(folder, 'a'), { recursive: true });
      await writeFile(join(directory.path, 'secret.bin'), 'secret');
      await writeFile(join(folder, 'own.bin'), 'own');
      expect(await localFolder(folder).find('a/../own.bin')).toMatchObject({ size: 3 });
      expect(await localFolder(folder).find(path)).toBeUndefined();
    },
  );

  it('are read without the geometry', async () => {
    const model = sheetGlb(10_000);
    let read = 0;
    await modelReferences(
      {
        size: model.length,
        read: async (offset, length) => {
          read += length;
          return model.subarray(offset, offset + length);
        },
      },
      emptyFolder,
    );
    expect(model.length).toBeGreaterThan(100_000);
    expect(read).toBeLessThan(8192);
  });

  it.each([
    ['nothing', new Uint8Array(0), 'is empty'],
    ['text', Buffer.from('once upon a time'), 'no format that can be converted'],
    ['broken JSON', Buffer.from('{"asset": '), 'cannot be read'],
    ['another JSON', Buffer.from('{"name": "package"}'), 'no glTF 2.0: asset'],
    ['JSON with wrong types', Buffer.from('{"asset":{"version":"2.0"},"buffers":{"a":1}}'), 'buffers'],
    ['glTF 1', Buffer.from('{"asset":{"version":"1.0"},"scene":"main","scenes":{"main":{}}}'), 'glTF 1.0'],
    ['an early glTF', Buffer.from('{"asset":{"version":0.8}}'), 'glTF 0.8'],
    ['a later glTF', Buffer.from('{"asset":{"version":"2.5","minVersion":"2.5"}}'), 'glTF 2.5'],
    ['a GLB that is only a magic', Buffer.from('glTF'), 'ends after 4 bytes'],
    ['a GLB that was cut off', boxGlb().subarray(0, 400), 'was cut off'],
    ['a GLB of version 1', patched(boxGlb(), 4, 1), 'container version 1'],
    ['a GLB with a JSON chunk that is too long', patched(boxGlb(), 12, 0x7fff_ffff), 'more than there are'],
    ['a GLB without JSON', patched(boxGlb(), 16, 0x004e_4942), 'JSON chunk'],
  ])('are refused for %s, with the cause', async (_name, model, message) => {
    await expect(referencesOf(model)).rejects.toMatchObject({
      code: 'input_refused',
      message: expect.stringContaining(message),
    });
  });

  it('are refused for more JSON than a text can hold, before it is read', async () => {
    const file = {
      size: 600 * 2 ** 20,
      read: async (_offset: number, length: number) => Buffer.from('{'.padEnd(Math.min(length, 1024))),
    };
    await expect(modelReferences(file, emptyFolder)).rejects.toMatchObject({ code: 'limit' });
  });
});

function gltf(bufferUri: string, textureUri: string): Uint8Array {
  return quadFiles({ bufferUri, textureUri, bufferPath: 'b', texturePath: 't' })['quad.gltf'] ?? new Uint8Array(0);
}

function patched(model: Uint8Array, offset: number, value: number): Uint8Array {
  const copy = Buffer.from(model);
  copy.writeUInt32LE(value, offset);
  return copy;
}

async function referencesOf(model: Uint8Array, folder = emptyFolder) {
  return await modelReferences(fileOf(model), folder);
}

function folderOf(files: Readonly<Record<string, Uint8Array>>): ModelFolder {
  return {
    find: async (path) => {
      const bytes = files[path];
      return bytes && fileOf(bytes);
    },
  };
}

function fileOf(bytes: Uint8Array): ModelFile {
  return { size: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}
