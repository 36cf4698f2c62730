import type { Document, Node } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import { daeSource, meshDae } from '../../support/models/dae.ts';
import { errorOf } from './convert-model.ts';
import { importedDocument, rounded } from './imported-document.ts';

const vertex = '<input semantic="VERTEX" source="#v" offset="0"/>';
/** A comb of three teeth, which no fan can cut: its area is 13. */
const comb = '0 0 0 7 0 0 7 3 0 6 3 0 6 1 0 4 1 0 4 3 0 3 3 0 3 1 0 1 1 0 1 3 0 0 3 0';
const square = '0 0 0 4 0 0 4 4 0 0 4 0 1 1 0 1 3 0 3 3 0 3 1 0';

describe('the geometry of a COLLADA document', () => {
  const shapes: [string, string, string, number, number][] = [
    ['triangles', '<triangles count="2">$<p>0 1 2 0 2 3</p></triangles>', square, 2, 16],
    [
      'a polygon that bends inwards',
      `<polylist count="1">$<vcount>12</vcount><p>${range(12)}</p></polylist>`,
      comb,
      10,
      13,
    ],
    ['polygons', '<polygons count="2">$<p>0 1 2 3</p><p>4 7 6 5</p></polygons>', square, 4, 20],
    ['a polygon with a hole', '<polygons count="1">$<ph><p>0 1 2 3</p><h>4 5 6 7</h></ph></polygons>', square, 8, 12],
    ['a hole that runs the wrong way', '<polygons>$<ph><p>0 1 2 3</p><h>7 6 5 4</h></ph></polygons>', square, 8, 12],
    ['strips', '<tristrips count="2">$<p>0 1 3 2</p><p>4 7 5 6</p></tristrips>', square, 4, 20],
    ['strips that are sewn together', '<tristrips>$<p>0 1 3 2 2 4 4 7 5 6</p></tristrips>', square, 4, 20],
    ['fans', '<trifans count="2">$<p>0 1 2 3</p><p>4 7 6 5</p></trifans>', square, 4, 20],
  ];
  it.each(shapes)('has %s', async (_what, primitives, positions, triangles, area) => {
    const { document } = await importedDocument(model({ positions, primitives: primitives.replace('$', vertex) }));
    expect(measure(document)).toEqual({ triangles, area });
  });

  it('faces one way in all triangles of strips and of polygons with holes', async () => {
    const primitives = [
      `<polygons>${vertex}<ph><p>0 1 2 3</p><h>4 5 6 7</h></ph></polygons>`,
      `<tristrips>${vertex}<p>0 1 3 2</p><p>4 7 5 6</p></tristrips>`,
    ];
    for (const primitive of primitives) {
      const { document } = await importedDocument(model({ positions: square, primitives: primitive }));
      const normals = parts(document).flatMap((part) => Array.from(part.getAttribute('NORMAL')?.getArray() ?? []));
      expect(normals.filter((_, i) => i % 3 === 2).every((z) => z > 0)).toBe(true);
    }
  });

  it.each(['<lines count="2">$<p>0 1 2 3</p></lines>', '<linestrips count="1">$<p>0 1 2</p></linestrips>'])(
    'has lines: %s',
    async (primitives) => {
      const { document } = await importedDocument(model({ primitives: primitives.replace('$', vertex) }));
      expect(parts(document).map((part) => [part.getMode(), part.getIndices()?.getCount()])).toEqual([[1, 4]]);
    },
  );

  it('takes what lies far away for as fine as it is', async () => {
    const positions = '400000.25 0 0 400000.5 0 0 400000.5 0.25 0';
    const { size } = await importedDocument(model({ positions }));
    expect(size).toEqual([0.25, 0.25, 0]);
  });

  it('has numbers as programs of several languages write them', async () => {
    for (const positions of [
      '0,0 0,0 0,0 1,5 0 0 1,5 2,5e0 0',
      '0, 0, 0, 1.5, 0, 0, 1.5, 2.5, 0',
      '0 +0 -0 15e-1 0 0 1.5 2.50 0',
    ]) {
      expect((await importedDocument(model({ positions }))).size).toEqual([1.5, 2.5, 0]);
    }
    const { size } = await importedDocument(model({ asset: '<unit meter="0,01"/><up_axis>Y_UP</up_axis>' }));
    expect(size).toEqual([0.01, 0.01, 0]);
  });

  it('has its names in the encoding that it says', async () => {
    const text = meshDae({}).replace('utf-8', 'ISO-8859-1').replace('name="node"', 'name="Tür"');
    const { document } = await importedDocument(
      { 'm.dae': Buffer.from(text, 'latin1') },
      { sceneGraphMode: 'dynamic' },
    );
    expect(names(document)).toContain('Tür');
  });

  it('does without attributes that refer to what is not there, and says so', async () => {
    const primitives = `<triangles count="1">${vertex}<input semantic="NORMAL" source="#n" offset="1"/><p>0 0 1 9 2 0</p></triangles>`;
    const { outcome } = await importedDocument(model({ sources: daeSource('n', '0 0 1', 'X Y Z'), primitives }));
    expect(outcome.warnings).toMatchObject([{ code: 'attribute_mended', details: { attribute: 'NORMAL' } }]);
  });

  it('is left out where it is a curve or a solid of no polygons, with a warning', async () => {
    const spline = '<geometry id="curve" name="curve"><spline closed="true"/></geometry>';
    const model = meshDae({
      libraries: `<library_geometries>${spline}</library_geometries>`,
      instance: '<instance_geometry url="#mesh"/><instance_geometry url="#curve"/>',
    });
    const { outcome } = await importedDocument({ 'm.dae': Buffer.from(model) });
    expect(outcome.warnings).toMatchObject([{ code: 'free_forms_left_out', details: { objects: 'curve' } }]);
  });

  it('is placed by every kind of transformation', async () => {
    const places: [string, number[]][] = [
      ['<translate>1 2 3</translate><rotate>0 0 1 90</rotate><scale>2 1 1</scale>', [1, 4, 3]],
      ['<matrix>0 -1 0 1 2 0 0 2 0 0 1 3 0 0 0 1</matrix>', [1, 4, 3]],
      ['<lookat>1 0 0 0 0 0 0 1 0</lookat>', [1, 0, -1]],
      ['<rotate>0 0 1 90</rotate><translate>1 0 0</translate>', [0, 2, 0]],
    ];
    for (const [transforms, expected] of places) {
      const { document } = await importedDocument(model({ transforms }), { sceneGraphMode: 'dynamic' });
      const matrix =
        document
          .getRoot()
          .listNodes()
          .find((node) => node.getMesh() !== null)
          ?.getWorldMatrix() ?? [];
      const [x, y, z] = [0, 1, 2].map((axis) => rounded((matrix[axis] ?? 0) + (matrix[12 + axis] ?? 0)));
      expect([x, y, z]).toEqual(expected);
    }
  });

  it('is upright where glTF cannot skew it, with a warning', async () => {
    const { outcome } = await importedDocument(model({ transforms: '<skew>45 0 1 0 1 0 0</skew>' }));
    expect(outcome.warnings).toMatchObject([{ code: 'skew_left_out', details: { nodes: '1' } }]);
  });

  it('is refused where its nodes are many more than they seem', async () => {
    const level = (i: number) => `<node id="level${i}">${`<instance_node url="#level${i + 1}"/>`.repeat(10)}</node>`;
    const levels = Array.from({ length: 20 }, (_, i) => level(i)).join('');
    const libraries = `<library_nodes>${levels}<node id="level20"/></library_nodes>`;
    const files = model({ libraries, transforms: '<instance_node url="#level0"/>' });
    expect(await errorOf(files, { nodes: 1000 })).toMatchObject({ code: 'limit', limit: 'nodes' });
  });

  it('is shown wherever its node is', async () => {
    const text = meshDae({
      libraries:
        '<library_nodes><node id="copy"><translate>5 0 0</translate><instance_geometry url="#mesh"/></node></library_nodes>',
    });
    const twice = text.replace('<node id="node"', '<node><instance_node url="#copy"/></node><node id="node"');
    const { size } = await importedDocument({ 'm.dae': Buffer.from(twice) });
    expect(size).toEqual([6, 1, 0]);
  });

  it('is shown where no scene says so, with a warning', async () => {
    const text = meshDae({}).replace(/<library_visual_scenes>.*<\/scene>/s, '');
    const { size, outcome } = await importedDocument({ 'm.dae': Buffer.from(text) });
    expect(size).toEqual([1, 1, 0]);
    expect(outcome.warnings).toMatchObject([{ code: 'scene_added' }]);
  });

  it('may lie in another document', async () => {
    const other = Buffer.from(meshDae({}));
    const text = meshDae({ instance: '<instance_geometry url="./parts/other%20one.dae#mesh"/>' }).replace(
      /<library_geometries>.*<\/library_geometries>/s,
      '',
    );
    const files = { 'm.dae': Buffer.from(text), 'parts/other one.dae': other };
    expect((await importedDocument(files)).size).toEqual([1, 1, 0]);
    expect(await errorOf({ 'm.dae': Buffer.from(text) })).toMatchObject({
      code: 'missing_files',
      message: expect.stringContaining('other%20one.dae'),
    });
  });

  const positions = '<accessor source="#p-a" count="4" stride="3">';
  const damages: [string, string, RegExp][] = [
    [
      'a stride of many numbers',
      meshDae({}).replace(positions, positions.replace('"3"', '"900000000"')),
      /line \d+: <accessor> has a stride/,
    ],
    [
      'a stride of too few',
      meshDae({}).replace(positions, positions.replace('"3"', '"2"')),
      /line \d+: <accessor> has 4 values of 2/,
    ],
    [
      'a stride of too many',
      meshDae({}).replace(positions, positions.replace('"3"', '"7"')),
      /line \d+: <accessor> has 4 values of 7/,
    ],
    [
      'an offset beyond its corners',
      meshDae({}).replace('offset="0"', 'offset="800000000"'),
      /line \d+: <triangles> has a list of 3/,
    ],
    [
      'an index beyond its positions',
      meshDae({}).replace('<p>0 1 2', '<p>0 1 4'),
      /line \d+: <triangles> has a vertex 4, but there are 4/,
    ],
    ['an index below zero', meshDae({}).replace('<p>0 1 2', '<p>0 1 -2'), /line \d+: <triangles> has a vertex -2/],
    [
      'a word among its numbers',
      meshDae({}).replace('0 0 0 1', '0 0 O 1'),
      /line \d+: <float_array> has 'O', which is no number/,
    ],
    ['a fraction among its indices', meshDae({}).replace('<p>0 1 2', '<p>0 1 2.5'), /line \d+: <p> has '2.5'/],
    [
      'polygons of more corners than it has',
      meshDae({ primitives: `<polylist count="1">${vertex}<vcount>2000000000</vcount><p>0 1 2</p></polylist>` }),
      /line \d+: <polylist> has polygons of more corners/,
    ],
    [
      'positions that are not there',
      meshDae({}).replace('source="#p"', 'source="#q"'),
      /line \d+: <vertices> refers to no positions/,
    ],
    [
      'a mesh that is not there',
      meshDae({ instance: '<instance_geometry url="#none"/>' }),
      /nothing but '#none', which is not there/,
    ],
    [
      'nodes that hold themselves',
      meshDae({ transforms: '<instance_node url="#node"/>' }),
      /line \d+: <node> is a part of itself/,
    ],
  ];
  it.each(damages)('is refused for %s', async (_what, text, why) => {
    expect(await errorOf({ 'm.dae': Buffer.from(text) })).toMatchObject({
      code: 'input_refused',
      message: expect.stringMatching(why),
    });
  });

  it('is what it is although counts are wrong', async () => {
    const text = meshDae({}).replaceAll(/count="\d+"/g, 'count="700000000"');
    expect((await importedDocument({ 'm.dae': Buffer.from(text) })).size).toEqual([1, 1, 0]);
  });
});

function model(parts: Parameters<typeof meshDae>[0]) {
  return { 'm.dae': Buffer.from(meshDae(parts)) };
}

function range(count: number): string {
  return Array.from({ length: count }, (_, i) => i).join(' ');
}

function parts(document: Document) {
  return document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
}

function names(document: Document): string[] {
  return document
    .getRoot()
    .listNodes()
    .map((node: Node) => node.getName());
}

function measure(document: Document): { triangles: number; area: number } {
  let [triangles, area] = [0, 0];
  for (const part of parts(document)) {
    const [positions, indices] = [part.getAttribute('POSITION'), part.getIndices()];
    const at = (i: number): number[] => positions?.getElement(indices?.getScalar(i) ?? i, []) ?? [];
    const count = indices?.getCount() ?? positions?.getCount() ?? 0;
    for (let i = 0; i < count; i += 3) {
      const [[ax = 0, ay = 0], [bx = 0, by = 0], [cx = 0, cy = 0]] = [at(i), at(i + 1), at(i + 2)];
      area += Math.abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2;
      triangles += 1;
    }
  }
  return { triangles, area: rounded(area) };
}
