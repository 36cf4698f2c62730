import { strToU8 } from 'fflate';
import { describe, expect, it } from 'vitest';
import { errorOf } from './convert-model.ts';
import { importedDocument, rounded } from './imported-document.ts';
import { mesh, model, pack } from './threemf-models.ts';

/** Of the beams between the four corners of `mesh`. */
function lattice(attributes: string, beams: string, balls = ''): string {
  const { 0: before = '' } = mesh(1).split('<triangles>');
  return `${before}<b:beamlattice ${attributes}><b:beams>${beams}</b:beams>${balls}</b:beamlattice></mesh></object>`;
}

describe('what a 3MF builds', () => {
  it('is sheared and flattened where its transforms say so', async () => {
    const sheared = model(mesh(1), '<item objectid="1" transform="1 0 0 0 1 0 1 0 1 0 0 0"/>');
    expect((await importedDocument({ 'm.3mf': pack(sheared) })).size).toEqual([0.03, 0.03, 0.02]);
    const turned =
      '<object id="2"><components><component objectid="1" transform="0.6 0.8 0 -0.8 0.6 0 0 0 1 0 0 0"/></components></object>';
    const uneven = model(mesh(1) + turned, '<item objectid="2" transform="3 0 0 0 1 0 0 0 1 0 0 0"/>');
    expect((await importedDocument({ 'm.3mf': pack(uneven) })).size).toEqual([0.066, 0.03, 0.012]);
    const flat = model(mesh(1), '<item objectid="1" transform="1 0 0 0 1 0 0 0 0 0 0 0"/>');
    expect((await importedDocument({ 'm.3mf': pack(flat) })).size).toEqual([0.01, 0, 0.02]);
  });

  it('counts the vertices of all that is sheared', async () => {
    const items = Array.from(
      { length: 30 },
      (_, i) => `<item objectid="1" transform="1 0 0 0 1 0 ${i + 1} 0 1 0 0 0"/>`,
    );
    const error = await errorOf({ 'm.3mf': pack(model(mesh(1), items.join(''))) }, { vertices: 100 });
    expect(error).toMatchObject({ code: 'limit', message: expect.stringContaining('(vertices)') });
  });

  it('leaves out what is not to be built, unless there is nothing else', async () => {
    const other = mesh(2).replace('type="model"', 'type="other"').replaceAll('x="10"', 'x="90"');
    const build = '<item objectid="1"/><item objectid="2"/>';
    const { size, outcome } = await importedDocument({ 'm.3mf': pack(model(mesh(1) + other, build)) });
    expect(size).toEqual([0.01, 0.03, 0.02]);
    expect(outcome.warnings).toMatchObject([{ code: 'hidden_left_out', details: { objects: '1' } }]);
    const alone = await importedDocument({ 'm.3mf': pack(model(other, '<item objectid="2"/>')) });
    expect(alone.size).toEqual([0.09, 0.03, 0.02]);
  });

  it('is every object that is no part of another where nothing is said', async () => {
    const group =
      '<object id="2"><components><component objectid="1" transform="1 0 0 0 1 0 0 0 1 100 0 0"/></components></object>';
    const { size, outcome } = await importedDocument({ 'm.3mf': pack(model(mesh(1) + group, '')) });
    expect(size).toEqual([0.01, 0.03, 0.02]);
    expect(outcome.warnings).toMatchObject([{ code: 'scene_added' }]);
  });

  it('has beams with flat and with round ends, and balls', async () => {
    const beam = '<b:beam v1="0" v2="3"/>';
    const butt = await importedDocument({
      'm.3mf': pack(model(lattice('radius="2" minlength="0.1" cap="butt"', beam))),
    });
    expect(butt.size).toEqual([0.004, 0.03, 0.004]);
    const round = await importedDocument({ 'm.3mf': pack(model(lattice('radius="2" minlength="0.1"', beam))) });
    expect(round.size).toEqual([0.004, 0.034, 0.004]);
    const balls = '<b2:balls><b2:ball vindex="3" r="5"/></b2:balls>';
    const attributes = 'radius="2" minlength="0.1" cap="butt" ballmode="mixed" ballradius="1"';
    const both = await importedDocument({ 'm.3mf': pack(model(lattice(attributes, beam, balls))) });
    expect(both.size).toEqual([0.01, 0.035, 0.01]);
  });

  it('gives beams the colours of their ends, outwards', async () => {
    const colors = '<m:colorgroup id="6"><m:color color="#FF0000"/><m:color color="#0000FF"/></m:colorgroup>';
    const beam = '<b:beam v1="0" v2="3" pid="6" p1="0" p2="1"/>';
    const { document } = await importedDocument({
      'm.3mf': pack(model(colors + lattice('radius="2" minlength="0.1" cap="butt"', beam))),
    });
    const part = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
    const [position, normal, color] = ['POSITION', 'NORMAL', 'COLOR_0'].map((name) => part?.getAttribute(name));
    for (let i = 0; i < (position?.getCount() ?? 0); i += 1) {
      const [x = 0, y = 0, z = 0] = position?.getElement(i, []) ?? [];
      const [nx = 0, ny = 0, nz = 0] = normal?.getElement(i, []) ?? [];
      const isEnd = rounded(Math.abs(nx * x + ny * y + nz * z)) === 0;
      if (!isEnd) expect(nx * x + ny * y + nz * (z - 15)).toBeGreaterThan(-0.001);
      expect(color?.getElement(i, [])).toHaveLength(4);
    }
    const shown = new Set(Array.from({ length: color?.getCount() ?? 0 }, (_, i) => color?.getElement(i, []).join(' ')));
    expect(shown).toEqual(new Set(['1 0 0 1', '0 0 1 1']));
  });

  it('shows the mesh that stands for beams', async () => {
    const beams = lattice('radius="2" minlength="0.1" representationmesh="3"', '<b:beam v1="0" v2="3"/>');
    const { size } = await importedDocument({ 'm.3mf': pack(model(mesh(3) + beams)) });
    expect(size).toEqual([0.01, 0.03, 0.02]);
  });

  it('names what it cannot show', async () => {
    const slices =
      '<s:slicestack id="9"><s:slice ztop="1"><s:vertices><s:vertex x="1" y="1"/></s:vertices></s:slice></s:slicestack>';
    const { outcome } = await importedDocument({ 'm.3mf': pack(model(slices + mesh(1))) });
    expect(outcome.warnings).toMatchObject([{ code: 'content_left_out', details: { content: 'slices' } }]);
    const unknown = await importedDocument({
      'm.3mf': pack(model(mesh(1).replace('<triangle ', '<tri v1="0"/><triangle '))),
    });
    expect(unknown.outcome.warnings).toMatchObject([{ details: { content: 'elements <tri> among the triangles' } }]);
    const implicit = '<object id="1"><v:levelset functionid="2" meshid="3"/></object>';
    expect((await errorOf({ 'm.3mf': pack(model(implicit)) })).message).toContain('level sets of implicit functions');
  });

  it('shows the operands of what is united, and the first of what is cut', async () => {
    const shape = (operation: string) =>
      `<object id="2"><bo:booleanshape objectid="1" operation="${operation}">` +
      '<bo:boolean objectid="1" transform="1 0 0 0 1 0 0 0 1 100 0 0"/></bo:booleanshape></object>';
    const of = async (operation: string) =>
      await importedDocument({ 'm.3mf': pack(model(mesh(1) + shape(operation), '<item objectid="2"/>')) });
    expect((await of('union')).size).toEqual([0.11, 0.03, 0.02]);
    const cut = await of('difference');
    expect(cut.size).toEqual([0.01, 0.03, 0.02]);
    expect(cut.outcome.warnings).toMatchObject([{ details: { content: 'boolean operations' } }]);
  });

  it('is shown with a warning where it requires an extension that is not known, and refused where nobody can', async () => {
    const required = (prefix: string) =>
      model(mesh(1)).replace('<model', `<model xmlns:x="http://x.org/y" requiredextensions="${prefix}"`);
    const { outcome } = await importedDocument({ 'm.3mf': pack(required('x')) });
    expect(outcome.warnings).toMatchObject([{ details: { content: 'the extension http://x.org/y' } }]);
    expect((await errorOf({ 'm.3mf': pack(required('z')) })).message).toContain("an extension 'z'");
  });

  it('is refused where a part is encrypted, and where a transform is none', async () => {
    const root = model('', '<item objectid="1" p:path="/3D/other.model"/>');
    const secret = await errorOf({ 'm.3mf': pack(root, { '3D/other.model': strToU8('%3McF\0\0\0') }) });
    expect(secret.message).toContain("'3d/other.model' is encrypted");
    const turned = model(mesh(1), '<item objectid="1" transform="1 0 0"/>');
    expect((await errorOf({ 'm.3mf': pack(turned) })).message).toContain(
      "transform of a build item (object 1) ('1 0 0')",
    );
  });

  it('may have its model alone, unpacked', async () => {
    for (const before of ['', '<?xml version="1.0"?><!DOCTYPE model SYSTEM "model.dtd">']) {
      const { size } = await importedDocument({ 'm.3mf': strToU8(before + model(mesh(1))) });
      expect(size).toEqual([0.01, 0.03, 0.02]);
    }
  });
});
