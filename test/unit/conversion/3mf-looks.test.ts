import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { png } from '../../support/models/index.ts';
import { importedDocument, rounded } from './imported-document.ts';
import { mesh, model, pack } from './threemf-models.ts';

const base =
  '<basematerials id="5"><base name="red" displaycolor="#FF0000"/><base name="blue" displaycolor="#0000FF"/></basematerials>';
const texture = '<m:texture2d id="7" path="/3D/Textures/wood.png" contenttype="image/png"/>';
const texcoords =
  '<m:texture2dgroup id="8" texid="7"><m:tex2coord u="0" v="0"/><m:tex2coord u="1" v="1"/></m:texture2dgroup>';
const wood = { '3D/Textures/wood.png': png(4, [200, 100, 50]) };

describe('the looks of a 3MF', () => {
  it('has materials that are mixed of others by how much there is of each', async () => {
    const mixed =
      '<m:compositematerials id="6" matid="5" matindices="0 1"><m:composite values="3 1"/><m:composite values="0 0"/></m:compositematerials>';
    const colors = await colorsOf(base + mixed + mesh(1, ['pid="6" p1="0" p2="1" p3="1"', 'pid="6" p1="0"']));
    expect(colors.slice(0, 3)).toEqual(['0.75 0 0.25 1', '0.5 0 0.5 1', '0.5 0 0.5 1']);
  });

  it('lays colours on a texture and on materials', async () => {
    const colors = '<m:colorgroup id="6"><m:color color="#00FF00"/><m:color color="#00FF0080"/></m:colorgroup>';
    const layers =
      '<m:multiproperties id="9" pids="8 6" blendmethods="multiply"><m:multi pindices="1 0"/></m:multiproperties>' +
      '<m:multiproperties id="10" pids="5 6"><m:multi pindices="0 1"/></m:multiproperties>' +
      '<m:multiproperties id="11" pids="6 8"><m:multi pindices="0 1"/></m:multiproperties>';
    const looks = ['pid="9" p1="0"', 'pid="10" p1="0"', 'pid="11" p1="0"', 'pid="8" p1="1"'];
    const { document, materials, outcome } = await importedDocument({
      'm.3mf': pack(model(base + texture + texcoords + colors + layers + mesh(1, looks)), wood),
    });
    const textured = document
      .getRoot()
      .listMaterials()
      .filter((material) => material.getBaseColorTexture() !== null);
    const parts = document
      .getRoot()
      .listMeshes()
      .flatMap((made) => made.listPrimitives());
    const colorOf = (number: number) =>
      parts[number]
        ?.getAttribute('COLOR_0')
        ?.getElement(0, [])
        .map((v) => rounded(v));
    expect(colorOf(0)).toEqual([0, 1, 0, 1]);
    expect(colorOf(1)).toEqual([0.498, 0.502, 0, 1]);
    expect(textured).toHaveLength(materials.length - 1);
    expect(outcome.warnings).toEqual([]);
  });

  it('shows a colour through what is clear in a texture on it', async () => {
    const layers = '<m:multiproperties id="9" pids="5 8"><m:multi pindices="1 0"/></m:multiproperties>';
    const clear = { '3D/Textures/wood.png': await image([200, 100, 50, 0], [200, 100, 50, 255]) };
    const { document } = await importedDocument(
      {
        'm.3mf': pack(model(base + texture + texcoords + layers + mesh(1, new Array(4).fill('pid="9" p1="0"'))), clear),
      },
      { sceneGraphMode: 'dynamic' },
    );
    const shown = document.getRoot().listTextures()[0]?.getImage();
    const { data } = await sharp(shown ?? new Uint8Array())
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual([0, 0, 255, 200, 100, 50]);
  });

  it('says how a texture repeats and how it is magnified', async () => {
    const tiles = texture.replace('contenttype', 'tilestyleu="mirror" tilestylev="clamp" filter="nearest" contenttype');
    const { document } = await importedDocument({
      'm.3mf': pack(model(tiles + texcoords + mesh(1, ['pid="8" p1="0" p2="1"'])), {
        '3D/Textures/wood.png': await image([1, 2, 3, 255], [4, 5, 6, 255]),
      }),
    });
    const info = document
      .getRoot()
      .listMaterials()
      .find((made) => made.getBaseColorTexture())
      ?.getBaseColorTextureInfo();
    expect([info?.getWrapS(), info?.getWrapT(), info?.getMagFilter()]).toEqual([33648, 33071, 9728]);
  });

  it('has metals, gloss and what light goes through', async () => {
    const shown = (kind: string, entries: string) =>
      `<m:${kind}displayproperties id="20">${entries}</m:${kind}displayproperties>`;
    const of = async (display: string) => {
      const looks = display + base.replace('id="5"', 'id="5" displaypropertiesid="20"');
      const { document, materials } = await importedDocument({
        'm.3mf': pack(model(looks + mesh(1, new Array(4).fill('pid="5" p1="0"')))),
      });
      const extensions = document
        .getRoot()
        .listMaterials()
        .flatMap((made) => made.listExtensions());
      return [
        materials[0]?.metallic,
        materials[0]?.roughness,
        extensions.map(({ extensionName }) => extensionName).toSorted(),
      ];
    };
    const metal = '<m:pbmetallic name="a" metallicness="1" roughness="0.25"/><m:pbmetallic name="b"/>';
    expect(await of(shown('pbmetallic', metal))).toEqual([1, 0.25, []]);
    const gloss = '<m:pbspecular name="a" specularcolor="#FFFFFF" glossiness="0.75"/><m:pbspecular name="b"/>';
    expect(await of(shown('pbspecular', gloss))).toEqual([0, 0.25, ['KHR_materials_ior', 'KHR_materials_specular']]);
    const glass = '<m:translucent name="a" attenuation="1 1 1" refractiveindex="1.4 1.4 1.4" roughness="0"/>';
    expect(await of(shown('translucent', glass))).toEqual([0, 0, ['KHR_materials_ior', 'KHR_materials_transmission']]);
  });

  it('may be of before its specification', async () => {
    const looks =
      '<texture id="0" path="/3D/Textures/wood.png"/><color id="1" value="#FF0000"/><color id="2" value="#0000FF"/>' +
      '<color id="3" value="tex(0)"/><material id="4" name="red" colorid="1"/>';
    const tetrahedron = mesh(5, ['colorid="1,2,2"', 'materialid="4"', 'colorid="3" cv1="0" cv2="1" cv3="1"'])
      .replace('<object', '<object colorid="2"')
      .replace(
        '</vertices>',
        '</vertices><texturevertices><texturevertex u="0" v="0"/><texturevertex u="1" v="1"/></texturevertices>',
      );
    const { document, materials } = await importedDocument(
      {
        'm.3mf': pack(model(looks + tetrahedron, '<item objectid="5"/>'), wood),
      },
      { sceneGraphMode: 'dynamic' },
    );
    expect(materials.filter((material) => material.texture !== undefined)).toHaveLength(1);
    const parts = document
      .getRoot()
      .listMeshes()
      .flatMap((made) => made.listPrimitives());
    const colored = parts.map((part) => part.getAttribute('COLOR_0')).find((attribute) => attribute !== null);
    const colors = Array.from({ length: colored?.getCount() ?? 0 }, (_, i) => colored?.getElement(i, []).join(' '));
    expect(colors.filter((color) => color === '1 0 0 1')).toHaveLength(4);
    expect(colors.filter((color) => color === '0 0 1 1')).toHaveLength(5);
  });

  it('takes many materials for colours of corners', async () => {
    const many = Array.from(
      { length: 300 },
      (_, i) => `<base name="m${i}" displaycolor="#0000${(i % 256).toString(16).padStart(2, '0')}"/>`,
    );
    const looks = ['pid="5" p1="0"', 'pid="5" p1="255"', 'pid="5" p1="1"', 'pid="5" p1="2"'];
    const { materials } = await importedDocument({
      'm.3mf': pack(model(`<basematerials id="5">${many.join('')}</basematerials>${mesh(1, looks)}`)),
    });
    expect(materials.map(({ name }) => name)).toEqual(['materials']);
  });

  it('shows materials without any opacity as opaque, and says so', async () => {
    const clear = base.replace('#FF0000', '#FF000000').replace('#0000FF', '#0000FF80');
    const { materials, outcome } = await importedDocument({
      'm.3mf': pack(model(clear + mesh(1, ['pid="5" p1="0"', 'pid="5" p1="1"', 'pid="5" p1="0"', 'pid="5" p1="0"']))),
    });
    expect(materials.map(({ color, alphaMode }) => [color, alphaMode])).toEqual([
      [[1, 0, 0, 1], 'OPAQUE'],
      [[0, 0, 1, 0.502], 'BLEND'],
    ]);
    expect(outcome.warnings).toMatchObject([{ code: 'content_left_out' }]);
  });

  it('warns of a material that is not there', async () => {
    const { outcome } = await importedDocument({ 'm.3mf': pack(model(mesh(1, ['pid="99" p1="0"']))) });
    expect(outcome.warnings).toMatchObject([{ code: 'reference_missing', details: { material: '99' } }]);
  });

  it('warns of colours that are painted on parts of triangles', async () => {
    const { outcome } = await importedDocument({ 'm.3mf': pack(model(mesh(1, ['paint_color="8"']))) });
    expect(outcome.warnings).toMatchObject([
      { code: 'content_left_out', details: { content: 'colours that are painted in a slicer' } },
    ]);
  });

  it('finds textures by names with escapes, in any case, and beside the model', async () => {
    for (const [path, name] of [
      ['/3D/Textures/W%20ood.png', '3D/Textures/w ood.PNG'],
      ['/3D/W ood.png', '3D/W%20ood.png'],
      ['Textures/wood.png', '3D/Textures/wood.png'],
    ] as const) {
      const { outcome } = await importedDocument({
        'm.3mf': pack(model(texture.replace('/3D/Textures/wood.png', path) + texcoords + mesh(1, ['pid="8" p1="0"'])), {
          [name]: wood['3D/Textures/wood.png'],
        }),
      });
      expect(outcome.warnings).toEqual([]);
    }
  });
});

async function colorsOf(resources: string): Promise<string[]> {
  const { document } = await importedDocument({ 'm.3mf': pack(model(resources)) }, { sceneGraphMode: 'dynamic' });
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((made) => made.listPrimitives());
  return parts.flatMap((part) => {
    const colors = part.getAttribute('COLOR_0');
    return Array.from({ length: colors?.getCount() ?? 0 }, (_, i) =>
      (colors?.getElement(i, []) ?? []).map((v) => rounded(v, 100)).join(' '),
    );
  });
}

/** A PNG of a row of pixels: red, green, blue and alpha. */
async function image(...pixels: readonly (readonly number[])[]): Promise<Uint8Array> {
  const raw = { width: pixels.length, height: 1, channels: 4 } as const;
  return new Uint8Array(await sharp(Uint8Array.from(pixels.flat()), { raw }).png().toBuffer());
}
