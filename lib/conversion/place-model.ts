import {
  AnimationChannel,
  type Document,
  MathUtils,
  type mat4,
  type Node,
  type Scene,
  type vec3,
  type vec4,
} from '@gltf-transform/core';
import type { Light, Volume } from '@gltf-transform/extensions';
import { ConversionError } from './conversion-error.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { multiplyTurns } from './geometry/transforms.ts';
import { sceneBounds } from './scene-bounds.ts';

export interface Placement {
  /** Of the scene that is shown, in metres. */
  readonly boundingBox: { readonly min: vec3; readonly max: vec3 };
  /** What moves the model back to where it was; only with `recenterToOrigin`. */
  readonly recenteringOffset?: vec3;
}

/**
 * Scales, turns and moves a model as its settings ask: the nodes at the top carry all of it, so that what they show keeps its vertices.
 * @throws ConversionError `input_refused` where the scene shows no geometry, or a size that is no number
 */
export function placeModel(document: Document, settings: ConversionSettings): Placement {
  const scene = document.getRoot().getDefaultScene();
  if (scene === null) throw refused('it has no scene to show.');
  const { scaling } = settings;
  const roots = rootsOf(document);
  const basis = basisOf(settings.axis);
  if (scaling !== 1 || !isIdentity(basis)) move(roots, basis, scaling, [0, 0, 0]);
  if (scaling !== 1) scaleLengths(document, scaling);
  const { min, max } = sceneBounds(scene);
  if (![...min, ...max].every(Number.isFinite)) {
    const scaled = scaling === 1 ? '' : `, scaled by ${scaling} (scaling)`;
    throw refused(`its scene shows no geometry that has a place${scaled}: there is nothing to render.`);
  }
  if (!settings.recenterToOrigin) return { boundingBox: { min, max } };
  const middle: vec3 = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
  move(roots, IDENTITY, 1, [-middle[0], -middle[1], -middle[2]]);
  return { boundingBox: { min: subtract(min, middle), max: subtract(max, middle) }, recenteringOffset: middle };
}

/** Three columns: where the model's x, y and z point to. */
type Basis = readonly [vec3, vec3, vec3];

const IDENTITY: Basis = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

/** Each entry says which of the model's axes becomes x, y and z: `["+x", "+z", "-y"]` makes what points up in z point up in y. */
function basisOf(axis: ConversionSettings['axis']): Basis {
  const columns: Basis = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (const [row, name] of axis.entries()) {
    const column = name === 'default' ? row : 'xyz'.indexOf(name.slice(1));
    const vector = columns[column];
    if (vector !== undefined) vector[row] = name.startsWith('-') ? -1 : 1;
  }
  return columns;
}

function isIdentity(basis: Basis): boolean {
  return basis.every((vector, i) => vector.every((value, j) => value === IDENTITY[i]?.[j]));
}

function move(roots: readonly Node[], basis: Basis, scale: number, offset: vec3): void {
  const [[a, b, c], [d, e, f], [g, h, i]] = basis;
  const mirrors = a * (e * i - f * h) - d * (b * i - c * h) + g * (b * f - c * e) < 0;
  // A mirror is a turn and a scale of -1 on every axis: whatever lies below, nothing is sheared.
  const sign = mirrors ? -1 : 1;
  const turn = rotationOf(basis, sign);
  for (const node of roots) {
    // glTF 2.0, 3.7.3.1: its joints place it. Its own place counts for nothing but which side of a triangle is its front.
    if (node.getSkin() !== null && node.listChildren().length === 0 && !mirrors) continue;
    const [x, y, z] = node.getTranslation().map((value) => value * scale) as vec3;
    node.setTranslation([
      a * x + d * y + g * z + offset[0],
      b * x + e * y + h * z + offset[1],
      c * x + f * y + i * z + offset[2],
    ]);
    node.setRotation(multiplyTurns(turn, node.getRotation()));
    node.setScale(node.getScale().map((value) => value * scale * sign) as vec3);
  }
}

function rotationOf([x, y, z]: Basis, sign: number): vec4 {
  const matrix: mat4 = [...x, 0, ...y, 0, ...z, 0, 0, 0, 0, 1].map((value, i) =>
    i < 12 ? value * sign : value,
  ) as mat4;
  const rotation: vec4 = [0, 0, 0, 1];
  MathUtils.decompose(matrix, [0, 0, 0], rotation, [1, 1, 1]);
  return rotation;
}

/** The nodes at the top of every scene; what an animation moves gets a node of its own above it, which nothing moves. */
function rootsOf(document: Document): Node[] {
  const scenes = document.getRoot().listScenes();
  const tops = new Map<Node, Node>();
  for (const scene of scenes) {
    for (const node of scene.listChildren()) {
      if (!tops.has(node)) tops.set(node, isAnimated(node) ? document.createNode() : node);
    }
  }
  for (const [node, top] of tops) if (top !== node) wrap(scenes, node, top);
  return [...tops.values()];
}

/** An animation would overwrite what is written into the node itself. */
function isAnimated(node: Node): boolean {
  return node
    .listParents()
    .some((parent) => parent instanceof AnimationChannel && parent.getTargetPath() !== 'weights');
}

function wrap(scenes: readonly Scene[], node: Node, top: Node): void {
  const shownBy = node.listParents();
  for (const scene of scenes) if (shownBy.includes(scene)) scene.removeChild(node).addChild(top);
  top.addChild(node);
}

/** What a node's scale does not reach: glTF 2.0, 3.10; KHR_lights_punctual; KHR_materials_volume. */
function scaleLengths(document: Document, scale: number): void {
  const root = document.getRoot();
  for (const camera of root.listCameras()) {
    camera.setZNear(camera.getZNear() * scale);
    const far = camera.getZFar();
    if (far !== null) camera.setZFar(far * scale);
    if (camera.getType() === 'orthographic') camera.setXMag(camera.getXMag() * scale).setYMag(camera.getYMag() * scale);
  }
  const lights = new Set(root.listNodes().map((node) => node.getExtension<Light>('KHR_lights_punctual')));
  for (const light of lights) {
    const range = light?.getRange();
    if (range != null) light?.setRange(range * scale);
    // Candela: what lies further away gets less of it, by the square.
    if (light?.getType() !== 'directional') light?.setIntensity(light.getIntensity() * scale * scale);
  }
  for (const material of root.listMaterials()) {
    const volume = material.getExtension<Volume>('KHR_materials_volume');
    volume?.setAttenuationDistance(volume.getAttenuationDistance() * scale);
  }
}

function subtract(a: vec3, b: vec3): vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

function refused(what: string): ConversionError {
  return new ConversionError('input_refused', `The model cannot be converted: ${what}`);
}
