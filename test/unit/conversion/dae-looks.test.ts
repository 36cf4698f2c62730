import { describe, expect, it } from 'vitest';
import { daeSource, meshDae } from '../../support/models/dae.ts';
import { png } from '../../support/models/index.ts';
import { importedDocument, rounded, srgb } from './imported-document.ts';

const image = png(4, [10, 20, 30]);
const sampler = `<newparam sid="surface"><surface type="2D"><init_from>image</init_from></surface></newparam>
<newparam sid="sampler"><sampler2D><source>surface</source><wrap_s>CLAMP</wrap_s><wrap_t>MIRROR</wrap_t></sampler2D></newparam>`;
const textured = '<phong><diffuse><texture texture="sampler" texcoord="UV"/></diffuse></phong>';

describe('a material of a COLLADA document', () => {
  const looks: [string, string, object][] = [
    [
      'its colour',
      '<lambert><diffuse><color>0.25 0.5 1 1</color></diffuse></lambert>',
      { color: srgb(0.25, 0.5, 1), alphaMode: 'OPAQUE' },
    ],
    ['what a parameter says', '<phong><diffuse><param ref="tone"/></diffuse></phong>', { color: srgb(0.5, 0.25, 0) }],
    [
      'the light that it gives off where it is not lit',
      '<constant><emission><color>1 0 0 1</color></emission></constant>',
      { color: [1, 0, 0, 1] },
    ],
    [
      'the colour of its transparency where SketchUp draws an edge',
      '<constant><transparent opaque="A_ONE"><color>0 0.5 0 1</color></transparent><transparency><float>1</float></transparency></constant>',
      { color: srgb(0, 0.5, 0) },
    ],
    [
      'an opacity by how bright it is',
      '<phong><transparent opaque="RGB_ZERO"><color>0.25 0.25 0.25 1</color></transparent><transparency><float>1</float></transparency></phong>',
      { color: srgb(0.8, 0.8, 0.8, 0.75), alphaMode: 'BLEND' },
    ],
    [
      'an opacity by how dark it is',
      '<phong><transparent opaque="RGB_ONE"><color>0.25 0.25 0.25 1</color></transparent></phong>',
      { color: srgb(0.8, 0.8, 0.8, 0.25) },
    ],
    [
      'an opacity that is turned',
      '<phong><transparent opaque="A_ZERO"><color>0 0 0 0.75</color></transparent></phong>',
      { color: srgb(0.8, 0.8, 0.8, 0.25) },
    ],
    [
      'a decimal comma',
      '<phong><diffuse><color>0,5  0,25 1,0 1</color></diffuse></phong>',
      { color: srgb(0.5, 0.25, 1) },
    ],
  ];
  it.each(looks)('has %s', async (_what, shader, expected) => {
    const { materials } = await importedDocument(painted({ shader }));
    expect(materials).toMatchObject([expected]);
  });

  it('is shown where all of it would be invisible by what it says, with a warning', async () => {
    const shader =
      '<phong><transparent opaque="A_ONE"><color>1 1 1 1</color></transparent><transparency><float>0</float></transparency></phong>';
    const { materials, outcome } = await importedDocument(painted({ shader }));
    expect(materials).toMatchObject([{ color: srgb(0.8, 0.8, 0.8), alphaMode: 'OPAQUE' }]);
    expect(outcome.warnings).toMatchObject([{ code: 'opacity_mended' }]);
  });

  it('is grey where its effect is for one program alone, with a warning', async () => {
    const [text] = Object.values(painted({})).map(String);
    const model = Buffer.from(text?.replaceAll('profile_COMMON', 'profile_GLSL') ?? '');
    const { materials, outcome } = await importedDocument({ 'm.dae': model });
    expect(materials).toMatchObject([{ name: 'paint', color: srgb(0.8, 0.8, 0.8) }]);
    expect(outcome.warnings).toMatchObject([{ code: 'material_unknown', details: { material: 'paint' } }]);
  });

  it('has two sides where a program says so', async () => {
    const extra = '<extra><technique profile="GOOGLEEARTH"><double_sided>1</double_sided></technique></extra>';
    const { document } = await importedDocument(painted({ shader: '<lambert/>', extra }), {
      opaqueMaterialDefaultSidedness: 'SingleSided',
    });
    expect(
      document
        .getRoot()
        .listMaterials()
        .map((material) => material.getDoubleSided()),
    ).toEqual([true]);
  });

  it('is the one that is meant where nobody says which', async () => {
    const files = painted({ shader: '<lambert><diffuse><color>1 0 0 1</color></diffuse></lambert>', bind: '' });
    expect((await importedDocument(files)).materials).toMatchObject([{ name: 'paint', color: [1, 0, 0, 1] }]);
  });

  it('places its image as it says, by the texture coordinates that it means', async () => {
    const { document } = await importedDocument(
      {
        ...painted({ shader: textured, params: sampler, images: '<init_from>wood.png</init_from>', set: 7 }),
        'wood.png': image,
      },
      { sceneGraphMode: 'dynamic' },
    );
    const [material] = document.getRoot().listMaterials();
    const info = material?.getBaseColorTextureInfo();
    const [part] = document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives());
    const texcoord = part?.getAttribute(`TEXCOORD_${info?.getTexCoord()}`)?.getElement(0, []) ?? [];
    expect(texcoord.map((value) => rounded(value, 100))).toEqual([0, 0.75]);
    expect([info?.getWrapS(), info?.getWrapT()]).toEqual([33071, 33648]);
  });

  const hex = Buffer.from(image)
    .toString('hex')
    .replace(/(.{40})/g, '$1\n');
  const images: [string, string, string][] = [
    [
      'as COLLADA 1.5 names it',
      '<init_from><ref>wood.png</ref></init_from>',
      '<newparam sid="sampler"><sampler2D><instance_image url="#image"/></sampler2D></newparam>',
    ],
    ['by a path of Windows', '<init_from>file:///C:\\job\\wood.png</init_from>', sampler],
    ['that lies in the document', `<data>${hex}</data>`, sampler],
    ['that lies in a document of COLLADA 1.5', `<init_from><hex format="png">${hex}</hex></init_from>`, sampler],
    ['as a data URI', `<init_from>data:image/png;base64,${Buffer.from(image).toString('base64')}</init_from>`, sampler],
    ['that is named where a surface should be', '', sampler.replace('>image<', '>maps/wood.png<')],
    ['that is named where a sampler should be', '<init_from>wood.png</init_from>', ''],
  ];
  it.each(images)('has an image %s', async (_what, images, params) => {
    const shader = params === '' ? textured.replace('"sampler"', '"image"') : textured;
    const { materials, outcome } = await importedDocument({
      ...painted({ shader, params, images }),
      'wood.png': image,
    });
    expect(outcome.warnings).toEqual([]);
    expect(materials).toMatchObject([{ texture: 'image/png', color: [1, 1, 1, 1] }]);
  });

  it('has the colours of its vertices', async () => {
    const primitives =
      '<triangles count="1"><input semantic="VERTEX" source="#v" offset="0"/><input semantic="COLOR" source="#c" offset="1"/><p>0 0 1 1 2 0</p></triangles>';
    const files = {
      'm.dae': Buffer.from(meshDae({ primitives, sources: daeSource('c', '1 0 0 1 0 0 1 0', 'R G B A') })),
    };
    const { document, materials } = await importedDocument(files);
    const [part] = document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives());
    const colors = [0, 1, 2].map((i) => part?.getAttribute('COLOR_0')?.getElement(i, []).slice(0, 3).join(' '));
    expect(colors.sort()).toEqual(['0 0 1', '1 0 0', '1 0 0']);
    expect(materials).toMatchObject([{ color: [1, 1, 1, 1] }]);
  });
});

function painted({
  shader = '',
  params = '',
  images = '',
  extra = '',
  set = 3,
  bind = '<instance_material symbol="paint" target="#paint"$/>',
}) {
  const use = bind.replace(
    '$/>',
    `><bind_vertex_input semantic="UV" input_semantic="TEXCOORD" input_set="${set}"/></instance_material>`,
  );
  const libraries = `<library_images><image id="image">${images}</image></library_images>
<library_effects><effect id="effect"><profile_COMMON><newparam sid="tone"><float3>0.5 0.25 0</float3></newparam>${params}
<technique sid="t">${shader}</technique>${extra}</profile_COMMON></effect></library_effects>
<library_materials><material id="paint" name="paint"><instance_effect url="#effect"/></material></library_materials>`;
  const text = meshDae({
    libraries,
    sources: `${daeSource('a', '0 0 1 0 1 1', 'S T')}${daeSource('b', '0 0.25 1 0.25 1 1', 'S T')}`,
    primitives: `<triangles count="1"${bind === '' ? '' : ' material="paint"'}><input semantic="VERTEX" source="#v" offset="0"/>
<input semantic="TEXCOORD" source="#a" offset="0" set="3"/><input semantic="TEXCOORD" source="#b" offset="0" set="7"/><p>0 1 2</p></triangles>`,
    instance: `<instance_geometry url="#mesh"><bind_material><technique_common>${use}</technique_common></bind_material></instance_geometry>`,
  });
  return { 'm.dae': Buffer.from(text) };
}
