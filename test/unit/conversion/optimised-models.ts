import { Document, WebIO } from '@gltf-transform/core';
import { boxGlb, unpack } from '../../support/models/index.ts';

interface NodeJson extends Record<string, unknown> {
  readonly children?: readonly number[];
}

/** The cube of edge 2 in these nodes, all of which stand in the scene. */
export function nodesGlb(nodes: readonly NodeJson[]): Uint8Array {
  const children = new Set(nodes.flatMap((node) => node.children ?? []));
  const roots = nodes.flatMap((_, i) => (children.has(i) ? [] : [i]));
  return boxGlb({ nodes, scenes: [{ nodes: roots }] });
}

/** The model with an animation that turns one of its nodes evenly by a quarter. */
export async function turningGlb(model: Uint8Array, node: number, keyframes: number): Promise<Uint8Array> {
  const document = await unpack(model);
  const times = Float32Array.from({ length: keyframes }, (_, i) => i / (keyframes - 1));
  const turns = Float32Array.from(
    [...times].flatMap((time) => [0, 0, Math.sin((time * Math.PI) / 4), Math.cos((time * Math.PI) / 4)]),
  );
  const sampler = document
    .createAnimationSampler()
    .setInput(document.createAccessor().setArray(times))
    .setOutput(document.createAccessor().setType('VEC4').setArray(turns));
  const target = document.getRoot().listNodes()[node] ?? null;
  const channel = document.createAnimationChannel().setSampler(sampler).setTargetNode(target).setTargetPath('rotation');
  document.createAnimation('turn').addSampler(sampler).addChannel(channel);
  return await new WebIO().writeBinary(document);
}

/** A flat square of so many cells on each side, in one colour or with a chequered picture in its vertex colours. */
export async function flatSheetGlb(cells: number, painted: boolean): Promise<Uint8Array> {
  const document = new Document();
  const buffer = document.createBuffer();
  const side = cells + 1;
  const points = Array.from(
    { length: side * side },
    (_, i) => [(i % side) / cells, Math.floor(i / side) / cells] as const,
  );
  const squares = Array.from({ length: cells * cells }, (_, i) => (i % cells) + Math.floor(i / cells) * side);
  const floats = (type: 'VEC2' | 'VEC3' | 'VEC4', of: (x: number, y: number, i: number) => number[]) =>
    document
      .createAccessor()
      .setType(type)
      .setArray(Float32Array.from(points.flatMap(([x, y], i) => of(x, y, i))))
      .setBuffer(buffer);
  const indices = Uint32Array.from(squares.flatMap((at) => [at, at + 1, at + side, at + 1, at + side + 1, at + side]));
  const part = document
    .createPrimitive()
    .setAttribute(
      'POSITION',
      floats('VEC3', (x, y) => [x, y, 0]),
    )
    .setAttribute(
      'NORMAL',
      floats('VEC3', () => [0, 0, 1]),
    )
    .setAttribute(
      'TEXCOORD_0',
      floats('VEC2', (x, y) => [x, y]),
    )
    .setIndices(document.createAccessor().setArray(indices).setBuffer(buffer))
    .setMaterial(document.createMaterial('plain'));
  if (painted)
    part.setAttribute(
      'COLOR_0',
      floats('VEC4', (_x, _y, i) => [i % 2, i % 3 === 0 ? 1 : 0, 0.5, 1]),
    );
  document
    .createScene()
    .addChild(document.createNode('sheet').setMesh(document.createMesh('sheet').addPrimitive(part)));
  return await new WebIO().writeBinary(document);
}
