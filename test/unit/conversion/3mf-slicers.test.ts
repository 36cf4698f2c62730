import { strToU8 } from 'fflate';
import { describe, expect, it } from 'vitest';
import { importedDocument } from './imported-document.ts';
import { mesh, model, pack } from './threemf-models.ts';

const whole =
  '<object id="9"><components><component objectid="1" p:path="/3D/Objects/a.model"/>' +
  '<component objectid="2" p:path="/3D/Objects/a.model" transform="1 0 0 0 1 0 0 0 1 100 0 0"/></components></object>';

describe('a 3MF of a slicer', () => {
  it('has the colours of its filaments, without what is not printed, as Bambu Studio writes it', async () => {
    const settings = (second: string) =>
      '<config><object id="9"><metadata key="name" value="x"/><metadata key="extruder" value="2"/>' +
      '<part id="1" subtype="normal_part"><metadata key="extruder" value="0"/></part>' +
      `<part id="2" subtype="${second}"><metadata key="extruder" value="1"/></part></object></config>`;
    const of = async (second: string) =>
      await importedDocument({
        'm.3mf': pack(model(whole, '<item objectid="9"/>'), {
          '3D/Objects/a.model': strToU8(model(mesh(1) + mesh(2), '')),
          'Metadata/model_settings.config': strToU8(settings(second)),
          'Metadata/project_settings.config': strToU8('{"filament_colour": ["#FF0000FF", "#0000FF"]}'),
        }),
      });
    const both = await of('normal_part');
    expect(both.materials.map(({ name, color }) => [name, color])).toEqual([
      ['filament 2', [0, 0, 1, 1]],
      ['filament 1', [1, 0, 0, 1]],
    ]);
    const one = await of('modifier_part');
    expect(one.size).toEqual([0.01, 0.03, 0.02]);
    expect(one.outcome.warnings).toMatchObject([{ code: 'hidden_left_out' }]);
  });

  it('has the colours of its extruders and filaments by pieces of a mesh, as PrusaSlicer writes it', async () => {
    const volume = (first: number, last: number, settings: string) =>
      `<volume firstid="${first}" lastid="${last}">${settings}</volume>`;
    const said = (key: string, value: string) => `<metadata type="volume" key="${key}" value="${value}"/>`;
    const settings =
      '<config><object id="1"><metadata type="object" key="extruder" value="1"/>' +
      volume(0, 1, said('volume_type', 'ModelPart')) +
      volume(2, 2, said('volume_type', 'ModelPart') + said('extruder', '2')) +
      volume(3, 3, said('modifier', '1') + said('volume_type', 'ParameterModifier')) +
      '</object></config>';
    const { materials, document } = await importedDocument({
      'm.3mf': pack(model(mesh(1)), {
        'Metadata/Slic3r_PE_model.config': strToU8(settings),
        'Metadata/Slic3r_PE.config': strToU8(
          '; a = 1\n; extruder_colour = "";#00FF00\n; filament_colour = #FF0000;#0000FF\n',
        ),
      }),
    });
    expect(materials.map(({ name, color }) => [name, color])).toEqual([
      ['filament 1', [1, 0, 0, 1]],
      ['filament 2', [0, 1, 0, 1]],
    ]);
    const parts = document
      .getRoot()
      .listMeshes()
      .flatMap((made) => made.listPrimitives());
    expect(parts.reduce((sum, part) => sum + (part.getIndices()?.getCount() ?? 0), 0)).toBe(9);
  });

  it('is painted by triangles, each in the colour of most of it', async () => {
    // Whole triangles of filaments 2 and 4, and one of four parts of which three are of filament 3.
    const painted = ['paint_color="8"', 'slic3rpe:mmu_segmentation="1C"', 'paint_color="0C0C0C83"'];
    const colors = {
      'Metadata/project_settings.config': strToU8('{"filament_colour": ["#FF0000", "#00FF00", "#0000FF", "#FFFFFF"]}'),
    };
    const { materials, outcome } = await importedDocument({ 'm.3mf': pack(model(mesh(1, painted)), colors) });
    expect(materials.map(({ name }) => name)).toEqual(['filament 2', 'filament 4', 'filament 3', 'filament 1']);
    expect(outcome.warnings).toMatchObject([{ details: { content: 'borders of painted colours within triangles' } }]);
    const unknown = await importedDocument({ 'm.3mf': pack(model(mesh(1, painted.slice(0, 1)))) });
    expect(unknown.outcome.warnings).toMatchObject([{ details: { content: 'colours that are painted in a slicer' } }]);
  });
});
