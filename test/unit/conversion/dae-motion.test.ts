import type { AnimationChannel, Document } from '@gltf-transform/core';
import { describe, expect, it } from 'vitest';
import { daeSource, meshDae } from '../../support/models/dae.ts';
import { importModel } from './import-model.ts';
import { importedDocument, rounded } from './imported-document.ts';

const identity = '1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1';

describe('the motion of a COLLADA document', () => {
  it('turns the whole way between two keys', async () => {
    const channels = await channelsOf(
      moved({
        target: 'node/spin.ANGLE',
        times: '0 1',
        values: '0 720',
        transforms: '<rotate sid="spin">0 0 1 0</rotate>',
      }),
    );
    const [rotation] = channels;
    const outputs = Array.from({ length: 9 }, (_, i) => valueAt(rotation, i / 8));
    // A quarter of a turn is that of half a circle here: two turns in eight steps.
    expect(
      outputs.map(([, , z = 0, w = 0]) => rounded(((2 * Math.atan2(z, w) * 180) / Math.PI + 720) % 360, 1)),
    ).toEqual([0, 90, 180, 270, 0, 90, 180, 270, 0]);
  });

  it('goes along Bézier curves', async () => {
    const [translation] = await channelsOf(
      moved({
        target: 'node/place.X',
        times: '0 1',
        values: '0 1',
        transforms: '<translate sid="place">0 2 0</translate>',
        curve: 'BEZIER',
        tangents: ['0 0 0.5 1', '0.5 0 1 1'],
      }),
    );
    // Slow at both ends: time is 1.5 s - 1.5 s² + s³, the value 3 s² - 2 s³.
    expect(valueAt(translation, 0.5).map((value) => rounded(value))).toEqual([0.5, 2, 0]);
    expect(valueAt(translation, 0.25)[0]).toBeCloseTo(0.1035, 2);
  });

  it('stays where a curve has steps, moves single cells of a matrix, and takes keys of any dimension', async () => {
    const [steps] = await channelsOf(
      moved({
        target: 'node/place',
        times: '0 1 2',
        values: '0 0 0 1 0 0 2 0 0',
        params: 'X Y Z',
        curve: 'STEP',
        transforms: '<translate sid="place">0 0 0</translate>',
      }),
    );
    expect(steps?.getSampler()?.getInterpolation()).toBe('STEP');
    const [cell] = await channelsOf(
      moved({
        target: 'node/m(3)(1)',
        times: '0 2',
        values: '0 4',
        transforms: `<matrix sid="m">${identity}</matrix>`,
      }),
    );
    expect(valueAt(cell, 1)).toEqual([0, 2, 0]);
    const matrices = `${identity} 1 0 0 6 0 1 0 0 0 0 1 0 0 0 0 1`;
    const [whole] = await channelsOf(
      moved({
        target: 'node/m',
        times: '0 2',
        values: matrices,
        params: Array.from({ length: 16 }, (_, i) => `c${i}`).join(' '),
        transforms: `<matrix sid="m">${identity}</matrix>`,
      }),
    );
    expect(valueAt(whole, 1)).toEqual([3, 0, 0]);
  });

  it('has a motion for each clip, cut out of the whole', async () => {
    const clips = `<library_animation_clips><animation_clip name="first" start="0" end="1"><instance_animation url="#motion"/></animation_clip>
<animation_clip name="second" start="1" end="2"><instance_animation url="#motion"/></animation_clip></library_animation_clips>`;
    const model = moved({
      target: 'node/place.X',
      times: '0 2',
      values: '0 8',
      transforms: '<translate sid="place">0 0 0</translate>',
      clips,
    });
    const { document } = await importedDocument(model);
    const shown = document
      .getRoot()
      .listAnimations()
      .map((animation) => {
        const [channel] = animation.listChannels();
        return [animation.getName(), valueAt(channel, 0)[0], valueAt(channel, 1)[0]];
      });
    expect(shown).toEqual([
      ['first', 0, 4],
      ['second', 4, 8],
    ]);
  });

  it.each(['NORMALIZED', 'RELATIVE'])('blends shapes: %s', async (method) => {
    const shape = method === 'RELATIVE' ? '0 0 0 0 0 0 0 2 0 0 0 0' : '0 0 0 1 0 0 1 3 0 0 1 0';
    const { document } = await importedDocument(morphed(method, shape));
    const [part] = document
      .getRoot()
      .listMeshes()
      .flatMap((mesh) => mesh.listPrimitives());
    const deltas = Array.from({ length: 3 }, (_, i) =>
      part?.listTargets()[0]?.getAttribute('POSITION')?.getElement(i, []).join(' '),
    );
    expect(deltas.sort()).toEqual(['0 0 0', '0 0 0', '0 2 0']);
    const [weights] = document
      .getRoot()
      .listAnimations()
      .flatMap((animation) => animation.listChannels());
    expect(weights?.getTargetPath()).toBe('weights');
    expect(valueAt(weights, 0.5)).toEqual([0.5]);
  });

  it('says of shapes that they are left out: those of other vertices, and those that are not there', async () => {
    for (const files of [morphed('NORMALIZED', '0 0 0 1 0 0 1 3 0'), morphed('NORMALIZED', '0 0 0', 'nobody')]) {
      const { outcome } = await importedDocument(files);
      expect(outcome.warnings).toMatchObject([{ code: 'shape_left_out', details: { mesh: 'mesh' } }]);
    }
  });

  it('is stored once, however often its node is shown', async () => {
    const { 'm.dae': model } = moved({
      target: 'node/place.X',
      times: '0 1',
      values: '0 1',
      transforms: '<translate sid="place">0 2 0</translate>',
    });
    const uses = '<node><instance_node url="#node"/><instance_node url="#node"/></node>';
    const { document } = await importModel(model.toString().replace('</visual_scene>', `${uses}</visual_scene>`));
    const [animation] = document.getRoot().listAnimations();
    expect(animation?.listChannels()).toHaveLength(3);
    expect(animation?.listSamplers()).toHaveLength(1);
  });

  it('keeps what no joint holds where it is bound, with a warning', async () => {
    const { document, size, outcome } = await importedDocument(skinned('nobody', 'node'));
    expect(document.getRoot().listSkins()).toEqual([]);
    expect(size).toEqual([2, 2, 0]);
    expect(outcome.warnings).toMatchObject([{ code: 'skin_without_joints', details: { mesh: 'mesh' } }]);
  });

  it('holds a mesh by joints of any name for them, each once', async () => {
    for (const joint of ['bone', 'bone-id', 'bone bone', 'The_bone']) {
      const { document, size } = await importedDocument(skinned(joint, 'joint'));
      expect(
        document
          .getRoot()
          .listSkins()
          .map((skin) => skin.listJoints().length),
      ).toEqual([1]);
      expect(size).toEqual([2, 2, 0]);
    }
  });
});

function moved({
  target = '',
  times = '',
  values = '',
  params = 'V',
  transforms = '',
  curve = 'LINEAR',
  tangents = [],
  clips = '',
}: {
  target: string;
  times: string;
  values: string;
  params?: string;
  transforms: string;
  curve?: string;
  tangents?: readonly [incoming: string, outgoing: string] | readonly [];
  clips?: string;
}) {
  const names = times
    .split(' ')
    .map(() => curve)
    .join(' ');
  const [incoming, outgoing] = tangents;
  const sides =
    incoming === undefined || outgoing === undefined
      ? ''
      : `${daeSource('in', incoming, 'X Y')}${daeSource('out', outgoing, 'X Y')}`;
  const inputs =
    sides === '' ? '' : '<input semantic="IN_TANGENT" source="#in"/><input semantic="OUT_TANGENT" source="#out"/>';
  const libraries = `<library_animations><animation id="motion">${daeSource('times', times, 'TIME')}${daeSource('values', values, params)}${sides}
<source id="curve"><Name_array id="curve-a" count="1">${names}</Name_array></source>
<sampler id="sampler"><input semantic="INPUT" source="#times"/><input semantic="OUTPUT" source="#values"/>
<input semantic="INTERPOLATION" source="#curve"/>${inputs}</sampler>
<channel source="#sampler" target="${target}"/></animation></library_animations>${clips}`;
  return { 'm.dae': Buffer.from(meshDae({ transforms, libraries })) };
}

function morphed(method: string, shape: string, target = 'other-mesh') {
  const other = meshDae({ positions: shape }).match(/<library_geometries>.*<\/library_geometries>/s)?.[0] ?? '';
  const renamed = other.replaceAll(/(id|source)="(#?)(mesh|v|p|p-a)"/g, '$1="$2other-$3"');
  const controller = `<library_controllers><controller id="blend"><morph source="#mesh" method="${method}">
<source id="targets"><IDREF_array id="targets-a" count="1">${target}</IDREF_array></source>${daeSource('weights', '0', 'W')}
<targets><input semantic="MORPH_TARGET" source="#targets"/><input semantic="MORPH_WEIGHT" source="#weights"/></targets></morph></controller></library_controllers>`;
  const animation = `<library_animations><animation>${daeSource('times', '0 1', 'TIME')}${daeSource('values', '0 1', 'W')}
<sampler id="sampler"><input semantic="INPUT" source="#times"/><input semantic="OUTPUT" source="#values"/></sampler>
<channel source="#sampler" target="weights(0)"/></animation></library_animations>`;
  const text = meshDae({
    libraries: renamed + controller + animation,
    instance: '<instance_controller url="#blend"/>',
  });
  return { 'm.dae': Buffer.from(text) };
}

/** A mesh of 1 × 1 that is twice as large where it is bound. */
function skinned(joints: string, type: string) {
  const names = joints.split(' ');
  const controller = `<library_controllers><controller id="skin"><skin source="#mesh"><bind_shape_matrix>2 0 0 0 0 2 0 0 0 0 2 0 0 0 0 1</bind_shape_matrix>
<source id="joints"><Name_array id="joints-a" count="${names.length}">${joints}</Name_array></source>
${daeSource('binds', names.map(() => identity).join(' '), Array.from({ length: 16 }, (_, i) => `c${i}`).join(' '))}${daeSource('weights', '1', 'W')}
<joints><input semantic="JOINT" source="#joints"/><input semantic="INV_BIND_MATRIX" source="#binds"/></joints>
<vertex_weights count="4"><input semantic="JOINT" source="#joints" offset="0"/><input semantic="WEIGHT" source="#weights" offset="1"/>
<vcount>1 1 1 1</vcount><v>0 0 0 0 0 0 -1 0</v></vertex_weights></skin></controller></library_controllers>`;
  const text = meshDae({
    libraries: controller,
    instance: `<instance_controller url="#skin"><skeleton>#bones</skeleton></instance_controller>`,
  });
  return {
    'm.dae': Buffer.from(
      text.replace(
        '<node id="node"',
        `<node id="bones"><node id="bone-id" sid="bone" name="The_bone" type="${type}"/></node><node id="node"`,
      ),
    ),
  };
}

async function channelsOf(files: Parameters<typeof importedDocument>[0]): Promise<AnimationChannel[]> {
  const { document }: { document: Document } = await importedDocument(files);
  return document
    .getRoot()
    .listAnimations()
    .flatMap((animation) => animation.listChannels());
}

/** Between keys along a straight line, which for rotations is near enough. */
function valueAt(channel: AnimationChannel | undefined, time: number): number[] {
  const sampler = channel?.getSampler();
  const times = Array.from(sampler?.getInput()?.getArray() ?? []);
  const output = sampler?.getOutput();
  const values = Array.from(output?.getArray() ?? []);
  const size = values.length / times.length;
  const key = Math.max(
    0,
    times.findLastIndex((key) => key <= time),
  );
  const next = Math.min(key + 1, times.length - 1);
  const [start = 0, end = 0] = [times[key], times[next]];
  const part = end > start ? (time - start) / (end - start) : 0;
  const at = (i: number) => values.slice(size * i, size * (i + 1));
  return at(key).map((value, i) => value + ((at(next)[i] ?? 0) - value) * part);
}
