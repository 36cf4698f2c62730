import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { modelReferences } from '#lib/conversion';
import { png } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { importModel } from './import-model.ts';
import { assimpModel, describeAssimpModels, importedDocument, srgb } from './imported-document.ts';

const square = 'v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n';
const face = 'f 1/1 2/2 3/3 4/4\n';

describe('an OBJ', () => {
  it('keeps its objects, materials and textures', async () => {
    const { document, materials, outcome } = await importedDocument({
      'model.obj': text(
        `# made\nmtllib model.mtl\n${square}o wall\nusemtl wood oak\n${face}o floor\nusemtl stone\nf 1 2 3\n`,
      ),
      'model.mtl': text(
        'newmtl wood oak\nKd 1 0.5 1\nmap_Kd -s 1 1 -o 0 0 a\\wood.png\nd 0.5\nnewmtl stone\nKd 0.1 0.2 0.3\nPr 0.25\nPm 1\n',
      ),
      'a/wood.png': png(4, [10, 20, 30]),
    });
    expect(materials).toEqual([
      {
        name: 'wood oak',
        color: srgb(1, 0.5, 1, 0.5),
        metallic: 0,
        roughness: 1,
        alphaMode: 'BLEND',
        texture: 'image/png',
      },
      {
        name: 'stone',
        color: srgb(0.1, 0.2, 0.3),
        metallic: 1,
        roughness: 0.25,
        alphaMode: 'OPAQUE',
        texture: undefined,
      },
    ]);
    const nodes = document
      .getRoot()
      .listNodes()
      .map((node) => node.getName());
    expect(nodes).toEqual(expect.arrayContaining(['wall', 'floor']));
    expect(outcome.warnings).toEqual([]);
    expect(outcome.info.inputStatistics).toMatchObject({ numFaces: 3, numMaterial: 2 });
  });

  it('counts backwards, reads colours of vertices and lines that go on', async () => {
    const model = text('v 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nf -3 \\\n -2 -1\n');
    const { document, materials, outcome } = await importedDocument({ 'model.obj': model });
    expect(outcome.info.inputStatistics.numFaces).toBe(1);
    expect(materials).toMatchObject([{ color: [1, 1, 1, 1] }]);
    const [primitive] = document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives());
    const colors = primitive?.getAttribute('COLOR_0');
    expect(Array.from({ length: 3 }, (_, i) => colors?.getElement(i, []).slice(0, 3))).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
  });

  it('is a point cloud where it has vertices alone, and may have points and lines', async () => {
    const cloud = await importedDocument({ 'model.obj': text('o c\nv 0 0 0\nv 1 2 3\n') });
    expect(cloud.size).toEqual([1, 2, 3]);
    const drawn = await importedDocument({ 'model.obj': text('o c\nv 0 0 0\nv 1 2 3\nv 0 1 0\nl 1 2 3\np 1\n') });
    const modes = drawn.document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives().map((part) => part.getMode()));
    expect(modes.sort()).toEqual([0, 1]);
  });

  it('is read in UTF-16 too', async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${square}${face}`, 'utf16le')]);
    expect((await importedDocument({ 'model.obj': utf16 })).size).toEqual([1, 1, 0]);
  });

  it('warns of materials and textures that are not there', async () => {
    const { outcome } = await importedDocument({
      'model.obj': text(`mtllib none.mtl\nmtllib m.mtl\n${square}usemtl a\n${face}`),
      'm.mtl': text('newmtl a\nmap_Kd wood.png\n'),
    });
    expect(outcome.warnings).toEqual([
      { code: 'file_missing', title: expect.any(String), details: { file: 'none.mtl' } },
      { code: '4004', title: 'Missing texture', details: { texture: 'wood.png', material: 'a' } },
    ]);
  });

  it('names every texture that is not there, however many they are', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `wood${i}`);
    const { outcome } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}${names.map((name) => `usemtl ${name}\n${face}`).join('')}`),
      'm.mtl': text(names.map((name) => `newmtl ${name}\nmap_Kd ${name}.png\n`).join('')),
    });
    expect(outcome.warnings.map(({ details }) => details['texture'])).toEqual(names.map((name) => `${name}.png`));
  });

  it('leaves textures off faces without texture coordinates', async () => {
    const { outcome, materials } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}usemtl a\nf 1 2 3\n`),
      'm.mtl': text('newmtl a\nmap_Kd wood.png\n'),
      'wood.png': png(2, [1, 2, 3]),
    });
    expect(outcome.warnings).toMatchObject([{ code: 'texcoords_missing', details: { material: 'a' } }]);
    expect(materials).toMatchObject([{ texture: undefined }]);
  });

  it('has the colour of its texture, or a plain grey, where a material says none', async () => {
    const { materials } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}usemtl a\n${face}usemtl b\nf 1 2 3\n`),
      'm.mtl': text('newmtl a\nmap_Kd wood.png\nnewmtl b\nNs 10\n'),
      'wood.png': png(2, [1, 2, 3]),
    });
    expect(materials).toMatchObject([
      { name: 'a', color: [1, 1, 1, 1], texture: 'image/png' },
      { name: 'b', color: srgb(0.8, 0.8, 0.8) },
    ]);
  });

  it('names its files before it is read: the longest end of a path that is there', async () => {
    const files: Record<string, Uint8Array> = {
      'parts/m.mtl': text(
        'newmtl a\nmap_Kd -colorspace sRGB -bm 0.3 C:\\job\\tex\\wood.png\nbump -bm 2 ../x/deep.png\nmap_Ke http://example.com/a.png\n',
      ),
      'tex/wood.png': png(2, [1, 2, 3]),
    };
    const found = await modelReferences(file(text(`mtllib parts/m.mtl\n${square}${face}`)), {
      find: async (path) => (files[path] ? file(files[path]) : undefined),
    });
    expect(found.map(({ kind, path, found: there }) => [kind, path, there !== undefined])).toEqual([
      ['materials', 'parts/m.mtl', true],
      ['texture', 'tex/wood.png', true],
      ['texture', 'parts/x/deep.png', false],
    ]);
  });

  it.each([
    [`${square}f 1 2 9\n`, "line 9: '9' refers to a vertex that is not there"],
    [`${square}f 1 2 0\n`, "line 9: '0' refers to a vertex"],
    [`${square}f\n`, "line 9: 'f' without any vertices"],
    ['o a\nv 1 2\nf 1 1 1\n', 'line 2: a vertex has 2 coordinates'],
    ['o a\nv 1 nan 2\nf 1 1 1\n', 'line 2: a position is no number (1, NaN, 2)'],
    ['v 0 0 0\nv 1.#QNAN 0 0\nv 1 1 1\nf 1 2 3\n', 'line 2: a position is no number (NaN, 0, 0)'],
    ['v 0 0 0\nv 1 0 0\ncstype bezier\ndeg 1\ncurv 0 1 1 2\nend\n', 'it has only free-form curves and surfaces'],
    ['o a\nv 1 b 2\nf 1 1 1\n', "line 2: 'b' is no number"],
    ['o a\ng b\nusemtl c\n', 'no vertices'],
  ])('is refused with its line: %j', async (model, why) => {
    const error = await errorOf({ 'model.obj': text(model) });
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining(why) });
  });

  it('leaves out faces and points without a place', async () => {
    const model = text(`v -nan(ind) 1.#INF 0\n${square}f 2 3 4\nf 1 3 4\nl 1 2 3\np 1\n`);
    const { outcome } = await importedDocument({ 'model.obj': model });
    expect(outcome.info.inputStatistics.numFaces).toBe(1);
    const first = 'line 1: a position is no number (NaN, Infinity, 0).';
    expect(outcome.warnings).toMatchObject([{ code: 'positions_lost', details: { positions: '1', first } }]);
  });

  it('is told by its positions where programs put lines of their own between them', async () => {
    for (const before of ['8 4\n', 'vw 0 1\nbones 3\n', 'seam 1 2\n']) {
      const { outcome } = await importedDocument({ 'model.obj': text(`${before}${square}${face}`) });
      expect(outcome.info.inputStatistics.numFaces).toBe(2);
    }
    const error = await errorOf({ 'model.obj': text('name value\nv 3\nother 4\n') });
    expect(error.message).toContain('of no format');
  });

  it('may have the colours of its vertices in lines of their own', async () => {
    const { parts } = await importModel(`${square}vc 1 0 0\nvc 0 1 0\nvc 0 0 1\n${face}`);
    expect(parts[0]?.colors).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1]);
  });

  it('is smooth where it says so and has no normals, across seams of its texture', async () => {
    const roof = 'v 0 0 0\nv 1 0 0.2\nv 1 1 0.2\nv 0 1 0\nv 2 0 0\nv 2 1 0\nvt 0 0\nvt 1 1\n';
    const faces = 'f 1/1 2/1 3/1 4/1\nf 2/2 5/2 6/2 3/2\n';
    const [part] = (await importModel(`${roof}s 1\n${faces}`)).parts;
    const [before, behind] = [1, 4].map((corner) => part?.normals?.slice(3 * corner, 3 * corner + 3));
    expect(behind).toEqual(before);
    expect(before?.[2]).toBeCloseTo(1, 2);
    for (const flat of ['', 's off\n', 's 0\n']) {
      expect((await importModel(`${roof}${flat}${faces}`)).parts[0]?.normals).toBeUndefined();
    }
    const groups = (await importModel(`${roof}s 1\nf 1 2 3 4\ns 2\nf 2 5 6 3\n`)).parts;
    expect(groups.map(({ normals }) => normals?.[0] ?? 0)).toEqual([
      expect.closeTo(-0.196, 2),
      expect.closeTo(0.196, 2),
    ]);
  });

  it('takes the normals of its faces for those that are zero or not there', async () => {
    const [part] = (await importModel(`${square}vn 1 0 0\nvn 0 0 0\nf 1//1 2//2 3 4//2\n`)).parts;
    expect(part?.normals).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1]);
    expect((await importModel(`${square}vn 0 0 0\nf 1//1 2//1 3//1\n`)).parts[0]?.normals).toBeUndefined();
  });

  it('says that it has more than polygons', async () => {
    const { warnings } = await importModel(`${square}${face}cstype bezier\ndeg 1 1\nsurf 0 1 0 1 1 2 3 4\nend\n`);
    expect(warnings).toMatchObject([{ code: 'free_forms_left_out', details: { elements: '1' } }]);
  });

  it('keeps materials apart whose names have what begins a comment elsewhere, in any encoding', async () => {
    const { materials } = await importedDocument({
      'model.obj': Buffer.from(
        `mtllib my\\ own.mtl\n${square}usemtl Mat #1\nf 1 2 3\nusemtl Mat #2\nf 1 3 4\nusemtl Gr\xfcn # why\nf 1 2 4\n`,
        'latin1',
      ),
      'my own.mtl': Buffer.from(
        'newmtl Mat #1\nKd 1 0 0\nnewmtl Mat #2\nKd 0 1 0\nnewmtl Gr\xfcn\nKd 0.5 # grey\n',
        'latin1',
      ),
    });
    expect(materials.map(({ name, color }) => [name, ...color.slice(0, 3)])).toEqual([
      ['Mat #1', 1, 0, 0],
      ['Mat #2', 0, 1, 0],
      ['Gr\xfcn # why', ...srgb(0.5, 0.5, 0.5).slice(0, 3)],
    ]);
  });

  it('shows materials that could not be seen: programs disagree on what Tr says', async () => {
    const { materials, outcome } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}usemtl a\nf 1 2 3\nusemtl b\nf 1 3 4\n`),
      'm.mtl': text('newmtl a\nTr 1\nnewmtl b\nTr 0.25\nKd 1 1 1\n'),
    });
    expect(materials).toMatchObject([
      { color: srgb(0.8, 0.8, 0.8), alphaMode: 'OPAQUE' },
      { color: [1, 1, 1, 0.75], alphaMode: 'BLEND' },
    ]);
    expect(outcome.warnings).toMatchObject([{ code: 'opacity_mended', details: { material: 'a' } }]);
  });

  it.each([
    [[128, 128, 128], 'map_Kd wood.png\n', 'BLEND', [10, 20, 30, 128]],
    [[255, 255, 255], 'map_Kd wood.png\n', 'MASK', [10, 20, 30, 255]],
    [[0, 0, 0], '', 'MASK', [255, 255, 255, 0]],
  ] as const)('has the opacity of a map of its own: %j', async (level, colours, alphaMode, wanted) => {
    const { document, outcome } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}usemtl a\n${face}`),
      'm.mtl': text(`newmtl a\n${colours}map_d leaf.png\n`),
      'wood.png': png(4, [10, 20, 30]),
      'leaf.png': png(2, level),
    });
    const [material] = document.getRoot().listMaterials();
    expect(material?.getAlphaMode()).toBe(alphaMode);
    const image = material?.getBaseColorTexture()?.getImage() ?? new Uint8Array(0);
    expect([...(await sharp(image).ensureAlpha().raw().toBuffer()).subarray(0, 4)]).toEqual(wanted);
    expect(outcome.warnings).toEqual([]);
  });

  it.each([
    ['d 0.3\nmap_d leaf.png\n', 'BLEND'],
    ['map_Kd cut.png\nmap_d cut.png\n', 'MASK'],
    ['map_Kd veil.png\nmap_d veil.png\n', 'BLEND'],
    ['map_Kd leaf.png\nmap_d leaf.png\n', 'OPAQUE'],
  ])('is seen through as all of it says: %j', async (lines, alphaMode) => {
    const rgba = (alpha: number) =>
      sharp({ create: { width: 4, height: 4, channels: 4, background: { r: 9, g: 9, b: 9, alpha } } });
    const { materials, outcome } = await importedDocument({
      'model.obj': text(`mtllib m.mtl\n${square}usemtl a\n${face}`),
      'm.mtl': text(`newmtl a\n${lines}`),
      'leaf.png': png(4, [255, 255, 255]),
      'cut.png': new Uint8Array(await rgba(0).png().toBuffer()),
      'veil.png': new Uint8Array(await rgba(0.5).png().toBuffer()),
    });
    expect(materials).toMatchObject([{ alphaMode }]);
    expect(outcome.warnings).toEqual([]);
  });

  it('is refused by the limit of vertices', async () => {
    const error = await errorOf({ 'model.obj': text(`${square}${face}`) }, { vertices: 3 });
    expect(error).toMatchObject({ code: 'limit', message: expect.stringContaining('vertices') });
  });
});

describeAssimpModels('OBJ files of other programs', () => {
  it.each([
    ['OBJ/spider.obj', 1368],
    ['OBJ/box_UTF16BE.obj', 12],
    ['OBJ/WusonOBJ.obj', 3732],
    ['OBJ/concave_polygon.obj', 64],
  ])('become valid assets: %s', async (path, faces) => {
    const { outcome } = await importedDocument(await assimpModel(path));
    expect(outcome.info.inputStatistics.numFaces).toBe(faces);
    expect(outcome.warnings).toEqual([]);
  });
});

function text(content: string): Uint8Array {
  return Buffer.from(content);
}

function file(bytes: Uint8Array) {
  return {
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
}
