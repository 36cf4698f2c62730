import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BlobFolder, Blobs } from '#lib/storage';
import { startStorage, type TestStorage } from '../../support/stack.ts';

const container = 'models';
const names = ['chair/chair.obj', 'chair/paint.mtl', 'chair/textures/wood.png', 'chairs/other.mtl', 'root.mtl'];

let storage: TestStorage;
let blobs: Blobs;
beforeAll(async () => {
  storage = await startStorage();
  blobs = new Blobs({ kind: 'connection-string', connectionString: storage.connectionString }, () => new Date());
  await blobs.prepare([container]);
  for (const name of names) await blobs.writeJson({ container, name }, name);
});
afterAll(() => storage.stop());

const contentIn = async (folder: BlobFolder, path: string) => {
  const file = await folder.find(path);
  return file && Buffer.from(await file.read(0, file.size)).toString();
};

describe.each([
  ['of few blobs', 20_000],
  ['of more blobs than are listed', 1],
])('a folder %s', (_, mostListed) => {
  const folder = (path: string) => new BlobFolder(blobs, container, path, undefined, mostListed);

  test.each([
    ['chair', 'paint.mtl', 'chair/paint.mtl'],
    ['chair', 'textures/wood.png', 'chair/textures/wood.png'],
    ['chair', './textures/../paint.mtl', 'chair/paint.mtl'],
    ['chair/textures', 'wood.png', 'chair/textures/wood.png'],
    ['.', 'root.mtl', 'root.mtl'],
    ['', 'chair/paint.mtl', 'chair/paint.mtl'],
  ])('%j has %s', async (path, file, name) => {
    expect(await contentIn(folder(path), file)).toBe(`"${name}"\n`);
  });

  test.each([
    ['chair', 'other.mtl'],
    ['chair', '../root.mtl'],
    ['chair', '../chairs/other.mtl'],
    ['chair', 'textures'],
    ['', '../root.mtl'],
  ])('%j has no %s', async (path, file) => {
    expect(await folder(path).find(file)).toBeUndefined();
  });
});

test('all files of a folder are found by one request', async () => {
  const list = vi.spyOn(blobs, 'list');
  const size = vi.spyOn(blobs, 'size');
  const folder = new BlobFolder(blobs, container, 'chair');
  await Promise.all(['chair.obj', 'paint.mtl', 'no.png', 'textures/no.png'].map((path) => folder.find(path)));
  expect([list.mock.calls.length, size.mock.calls.length]).toEqual([1, 0]);
});

test('a folder is looked at no more once its signal aborts', async () => {
  const folder = new BlobFolder(blobs, container, 'chair', AbortSignal.abort());
  await expect(folder.find('chair.obj')).rejects.toMatchObject({ name: 'AbortError' });
});
