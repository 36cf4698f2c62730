import { strToU8 } from 'fflate';
import { describe, expect, it } from 'vitest';
import { png } from '../../support/models/index.ts';
import { convertModel, errorOf } from './convert-model.ts';
import { assimpModel, describeAssimpModels, importedDocument } from './imported-document.ts';
import { mesh, model, pack } from './threemf-models.ts';

describe('a 3MF', () => {
  it('is millimetres with +Z up, where it does not say otherwise', async () => {
    expect((await importedDocument({ 'm.3mf': pack(model(mesh(1))) })).size).toEqual([0.01, 0.03, 0.02]);
    const inches = model(mesh(1)).replace('<model', '<model unit="inch"');
    expect((await importedDocument({ 'm.3mf': pack(inches) })).size).toEqual([0.254, 0.762, 0.508]);
  });

  it('builds components where they are placed, each mesh once', async () => {
    const group =
      '<object id="2"><components><component objectid="1"/>' +
      '<component objectid="1" transform="1 0 0 0 1 0 0 0 1 100 0 0"/></components></object>';
    const { size, document } = await importedDocument({
      'm.3mf': pack(model(mesh(1) + group, '<item objectid="2"/>')),
    });
    expect(size).toEqual([0.11, 0.03, 0.02]);
    expect(document.getRoot().listMeshes()).toHaveLength(1);
  });

  it('has materials, colours of corners and textures', async () => {
    const looks =
      '<basematerials id="5"><base name="red" displaycolor="#FF0000"/><base name="glass" displaycolor="#FFFFFF80"/></basematerials>' +
      '<m:colorgroup id="6"><m:color color="#00FF00"/><m:color color="#0000FF"/></m:colorgroup>' +
      '<m:texture2d id="7" path="/3D/Textures/wood.png" contenttype="image/png"/>' +
      '<m:texture2dgroup id="8" texid="7"><m:tex2coord u="0" v="0"/><m:tex2coord u="1" v="1"/></m:texture2dgroup>';
    const looksOfTriangles = [
      'pid="5" p1="0"',
      'pid="5" p1="1"',
      'pid="6" p1="0" p2="1" p3="1"',
      'pid="8" p1="0" p2="1" p3="1"',
    ];
    const { materials, document } = await importedDocument({
      'm.3mf': pack(model(looks + mesh(1, looksOfTriangles)), { '3D/Textures/wood.png': png(4, [200, 100, 50]) }),
    });
    expect(materials.map(({ name, color, alphaMode, texture }) => [name, color, alphaMode, texture])).toEqual([
      ['red', [1, 0, 0, 1], 'OPAQUE', undefined],
      ['glass', [1, 1, 1, 0.502], 'BLEND', undefined],
      ['colors', [1, 1, 1, 1], 'OPAQUE', undefined],
      ['/3D/Textures/wood.png', [1, 1, 1, 1], 'OPAQUE', 'image/png'],
    ]);
    const parts = document
      .getRoot()
      .listMeshes()
      .flatMap((made) => made.listPrimitives());
    expect(parts.filter((part) => part.getAttribute('COLOR_0') !== null)).toHaveLength(1);
  });

  it('takes objects from other parts of the package', async () => {
    const root = model('', '<item objectid="1" p:path="/3D/other.model"/>');
    const other = strToU8(model(mesh(1), ''));
    expect((await importedDocument({ 'm.3mf': pack(root, { '3D/other.model': other }) })).size).toEqual([
      0.01, 0.03, 0.02,
    ]);
  });

  it('warns of a texture that the package does not have', async () => {
    const looks =
      '<texture2d id="7" path="/a.png"/><texture2dgroup id="8" texid="7"><tex2coord u="0" v="0"/></texture2dgroup>';
    const { outcome } = await importedDocument({ 'm.3mf': pack(model(looks + mesh(1, ['pid="8" p1="0"']))) });
    expect(outcome.warnings).toMatchObject([{ code: '4004', details: { texture: '/a.png' } }]);
  });

  const refusals: [string, string, string][] = [
    ['a vertex that is not there', model(mesh(1).replace('v1="1"', 'v1="9"')), 'a vertex 9 (v1), but there are 4'],
    ['a coordinate that is no number', model(mesh(1).replace('x="10"', 'x="ten"')), 'no number for x'],
    ['an object that is not there', model(mesh(1), '<item objectid="3"/>'), "an object '3' that is not there"],
    [
      'an object within itself',
      model('<object id="1"><components><component objectid="1"/></components></object>'),
      'component of itself',
    ],
    ['an unknown unit', model(mesh(1)).replace('<model', '<model unit="parsec"'), "unit 'parsec'"],
    ['entities', `<!DOCTYPE model [<!ENTITY a "b">]>${model(mesh(1))}`, '<!DOCTYPE'],
    ['a part that was cut off', model(mesh(1)).slice(0, 300), 'cut off'],
    ['no geometry', model('', ''), 'nothing to render'],
  ];
  it.each(refusals)('is refused for %s', async (_what, xml, why) => {
    const error = await errorOf({ 'm.3mf': pack(xml) });
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining(why) });
  });

  it('is refused where components multiply into more nodes than the limit', async () => {
    const twice = (id: number) =>
      `<object id="${id}"><components>${`<component objectid="${id - 1}"/>`.repeat(10)}</components></object>`;
    const bomb = mesh(1) + Array.from({ length: 20 }, (_, i) => twice(i + 2)).join('');
    const error = await errorOf({ 'm.3mf': pack(model(bomb, '<item objectid="21"/>')) }, { nodes: 1000 });
    expect(error).toMatchObject({ code: 'limit', message: expect.stringContaining('(nodes)') });
  });

  it('is refused for what it would unpack to, before it is', async () => {
    const bomb = pack(model(mesh(1)), { '3D/zeros.bin': new Uint8Array(2 ** 24) });
    expect(bomb.length).toBeLessThan(2 ** 17);
    const { outcome } = await convertModel({ 'm.3mf': bomb }, {}, { unpackedBytes: 2 ** 20 });
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { code: 'limit', message: expect.stringContaining('unpackedBytes') },
    });
    const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`a/${i}`, new Uint8Array(1)]));
    const many = await errorOf({ 'm.3mf': pack(model(mesh(1)), files) }, { inputFiles: 20 });
    expect(many).toMatchObject({ code: 'limit', message: expect.stringContaining('inputFiles') });
  });

  it('is refused where a file has more in it than the archive says', async () => {
    const honest = Buffer.from(pack(model(mesh(1)) + ' '.repeat(5000)));
    const lie = honest.subarray();
    const entry = lie.indexOf(Buffer.from('PK\x01\x02', 'latin1'), lie.indexOf('3D/3dmodel.model') + 16);
    const directory = findEntry(lie, entry, '3D/3dmodel.model');
    lie.writeUInt32LE(100, directory + 24);
    expect((await errorOf({ 'm.3mf': lie })).message).toContain('more than the 100 bytes');
  });

  it.each(['../evil.model', '/../evil.model', 'C:\\evil.model'])(
    'is refused for a file that leads out of it: %s',
    async (name) => {
      const error = await errorOf({ 'm.3mf': pack(model(mesh(1)), { [name]: new Uint8Array(1) }) });
      expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining('leads out') });
    },
  );

  it('is refused wherever it is cut off', async () => {
    const whole = pack(model(mesh(1)));
    for (const part of [0.1, 0.5, 0.9, 0.99]) {
      const error = await errorOf({ 'm.3mf': whole.subarray(0, Math.floor(whole.length * part)) });
      expect(error).toMatchObject({ code: 'input_refused' });
    }
  });
});

describeAssimpModels('3MF files of other programs', () => {
  it('become valid assets', async () => {
    const { size, outcome } = await importedDocument(await assimpModel('3MF/box.3mf'));
    expect(size).toEqual([0.01, 0.03, 0.02]);
    expect(outcome.info.inputStatistics.numFaces).toBe(12);
  });
});

function findEntry(zip: Buffer, from: number, name: string): number {
  for (let at = from; at >= 0; at = zip.indexOf(Buffer.from('PK\x01\x02', 'latin1'), at + 4)) {
    if (zip.subarray(at + 46, at + 46 + name.length).toString() === name) return at;
  }
  return expect.fail(`There is no entry ${name}.`);
}
