import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { modelReferences } from '#lib/conversion';
import { dae, skinnedDae, skinnedQuadDae, transparentDae, triangleDae } from '../../support/models/dae.ts';
import { png } from '../../support/models/index.ts';
import { errorOf } from './convert-model.ts';
import { assimpModel, describeAssimpModels, importedDocument, rounded } from './imported-document.ts';

describe('a COLLADA document', () => {
  it('has the unit and the axis that it says', async () => {
    const { size, outcome } = await importedDocument({ 'm.dae': triangleDae() });
    expect(size).toEqual([1, 2, 3]);
    expect(outcome.info.inputInfo).toEqual({
      sourceAssetFormat: 'Collada Importer',
      sourceAssetFormatVersion: '1.4.1',
      sourceAssetGenerator: 'made by hand',
    });
    const inches = triangleDae(undefined, '<unit meter="0.0254"/><up_axis>Z_UP</up_axis>');
    expect((await importedDocument({ 'm.dae': inches })).size).toEqual([0.025, 0.076, 0.051]);
  });

  it('has images beside it, by URIs and by paths of other machines', async () => {
    for (const uri of ['my%20wood.png', './my wood.png', 'file:///C:/job/my%20wood.png', '..\\maps\\my wood.png']) {
      const { materials, outcome } = await importedDocument({
        'm.dae': triangleDae(uri),
        'my wood.png': png(4, [1, 2, 3]),
      });
      expect(outcome.warnings).toEqual([]);
      expect(materials).toMatchObject([{ name: 'paint', texture: 'image/png' }]);
    }
  });

  it.each(['dds', 'psd', 'avif'])('has images that only a surface names, of every kind: %s', async (extension) => {
    const text = triangleDae('none').toString().replace('<init_from>image<', `<init_from>maps/wood.${extension}<`);
    expect(await referencesOf(Buffer.from(text))).toContain(`maps/wood.${extension}`);
  });

  it('never has images of the network', async () => {
    const { outcome } = await importedDocument({
      'm.dae': triangleDae('http://example.com/wood.png'),
      'wood.png': png(2, [1, 1, 1]),
    });
    expect(outcome.warnings).toMatchObject([{ code: '4004', details: { material: 'paint' } }]);
    expect(await referencesOf(triangleDae('http://example.com/wood.png'))).toEqual([]);
    expect(await referencesOf(triangleDae('../a/wood.png'))).toEqual(['a/wood.png']);
  });

  it('keeps the strongest influences of joints, in the place where each mesh is bound', async () => {
    const { document } = await importedDocument({ 'm.dae': skinnedDae() });
    const root = document.getRoot();
    const skins = root.listNodes().flatMap((node) => node.getSkin() ?? []);
    const shifts = skins.map((skin) => skin.getInverseBindMatrices()?.getElement(0, [])[12]);
    expect(shifts.sort()).toEqual([-4, 1]);
    for (const part of root.listMeshes().flatMap((mesh) => mesh.listPrimitives())) {
      const weights = part
        .getAttribute('WEIGHTS_0')
        ?.getElement(0, [])
        .map((weight) => rounded(weight, 10));
      expect(weights).toEqual([0.5, 0.3, 0.1, 0.1]);
      expect(part.getAttribute('JOINTS_0')?.getElement(0, []).slice(0, 2)).toEqual([5, 4]);
    }
  });

  it('binds each vertex to its own joint where triangles share vertices', async () => {
    const { document } = await importedDocument({ 'm.dae': skinnedQuadDae() });
    const root = document.getRoot();
    const [skin] = root.listSkins();
    const [part] = root.listMeshes().flatMap((mesh) => mesh.listPrimitives());
    const positions = part?.getAttribute('POSITION');
    const bound = Array.from({ length: positions?.getCount() ?? 0 }, (_, vertex) => {
      const [joint = -1] = part?.getAttribute('JOINTS_0')?.getElement(vertex, []) ?? [];
      return `${positions?.getElement(vertex, [])[0]} ${skin?.listJoints()[joint]?.getName()}`;
    });
    expect([...new Set(bound)].sort()).toEqual(['0 joint0', '1 joint1', '2 joint2', '3 joint3']);
  });

  it('is as transparent as it says, and the other way round where all of it would be gone that way', async () => {
    const shown = async (model: Uint8Array) =>
      (await importedDocument({ 'm.dae': model }, { deduplicateMaterials: false })).materials
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map(({ color, alphaMode }) => `${color[3]} ${alphaMode}`);
    expect(await shown(transparentDae([1, 0.25]))).toEqual(['1 OPAQUE', '0.25 BLEND']);
    expect(await shown(transparentDae([1, 0]))).toEqual(['1 OPAQUE', '0 BLEND']);
    // As 3ds Max writes opaque materials.
    expect(await shown(transparentDae([0, 0.2]))).toEqual(['1 OPAQUE', '0.8 BLEND']);
    expect(await shown(transparentDae([0, 0.2], ' opaque="A_ONE"'))).toEqual(['0 BLEND', '0.2 BLEND']);
  });

  it('may be an archive with its images', async () => {
    const archive = zipSync({
      'manifest.xml': Buffer.from('<dae_root>./models/right.dae</dae_root>'),
      'models/wrong.dae': Buffer.from('nothing'),
      'models/right.dae': triangleDae('../maps/wood.png'),
      'models/maps/wood.png': png(4, [1, 2, 3]),
    });
    const { materials } = await importedDocument({ 'm.zae': archive });
    expect(materials).toMatchObject([{ texture: 'image/png' }]);
  });

  it('is refused as an archive for what it unpacks to, and where it has no document', async () => {
    const bomb = zipSync({ 'm.dae': Buffer.concat([triangleDae(), Buffer.alloc(2 ** 22, ' ')]) });
    expect(await errorOf({ 'm.zae': bomb }, { unpackedBytes: 2 ** 20 })).toMatchObject({ code: 'limit' });
    const none = await errorOf({ 'm.zae': zipSync({ 'readme.txt': Buffer.from('no') }) });
    expect(none).toMatchObject({
      code: 'input_refused',
      message: expect.stringContaining('without a COLLADA document'),
    });
  });

  const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i};`.repeat(10)}">`).join('');
  const laughing = triangleDae().toString().replace('<COLLADA', `<!DOCTYPE x [<!ENTITY lol0 "lol">${laughs}]><COLLADA`);
  const refusals: [string, string, string][] = [
    ['a billion laughs', laughing, '<!DOCTYPE'],
    ['a tag that is not closed', triangleDae().toString().replace('</mesh>', ''), 'closes <mesh>'],
    ['no geometry', dae({ nodes: '<node id="empty" name="empty"/>' }).toString(), 'nothing to render'],
    [
      'a pointer in the place of the model',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5897\n',
      'Git LFS',
    ],
    ['another end than its own', `${triangleDae()}<COLLADA/>`, 'after the end'],
  ];
  it.each(refusals)('is refused for %s', async (_what, model, why) => {
    const error = await errorOf({ 'm.dae': Buffer.from(model) });
    expect(error).toMatchObject({ code: 'input_refused', message: expect.stringContaining(why) });
  });

  it('is refused wherever it was cut off, with the line', async () => {
    const whole = triangleDae('wood.png');
    for (const part of [0.2, 0.4, 0.6, 0.8, 0.99]) {
      const error = await errorOf({ 'm.dae': whole.subarray(0, Math.floor(whole.length * part)) });
      expect(error).toMatchObject({
        code: 'input_refused',
        message: expect.stringMatching(/line \d+: the file was cut off/),
      });
    }
  });
});

describeAssimpModels('COLLADA documents of other programs', () => {
  it.each(['Collada/cube_UTF16LE.dae', 'Collada/cube_UTF8BOM.dae', 'Collada/duck.zae', 'Collada/duck.dae'])(
    'become valid assets without a warning: %s',
    async (path) => {
      expect((await importedDocument(await assimpModel(path))).outcome.warnings).toEqual([]);
    },
  );

  it.each(['Collada/box_nested_animation.dae', 'Collada/library_animation_clips.dae'])(
    'keep their animations and what these move: %s',
    async (path) => {
      const { document } = await importedDocument(await assimpModel(path));
      expect(document.getRoot().listAnimations().length).toBeGreaterThan(0);
      expect(document.getRoot().listSkins().length).toBeGreaterThan(0);
    },
  );

  it('are refused where they show nothing: cameras and lamps', async () => {
    expect((await errorOf(await assimpModel('Collada/cameras.dae'))).message).toContain('nothing to render');
  });
});

async function referencesOf(bytes: Uint8Array): Promise<string[]> {
  const file = {
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  return (await modelReferences(file, { find: async () => undefined })).map(({ path }) => path);
}
