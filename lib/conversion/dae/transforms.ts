import { MathUtils, type mat4, type vec3, type vec4 } from '@gltf-transform/core';
import { identity, multiply, multiplyTurns, turnAround } from '../geometry/transforms.ts';
import type { DaeElement } from './dae-element.ts';

/** One of the transformations that a node goes through, the outermost first. */
export interface Transform {
  readonly kind: TransformKind;
  /** Animations name it by this. */
  readonly sid: string;
  readonly values: readonly number[];
}

type TransformKind = keyof typeof sizes;

/** Numbers of each kind. */
const sizes = { matrix: 16, translate: 3, rotate: 4, scale: 3, lookat: 9, skew: 7 } as const;

/** A transformation as glTF has it. */
export interface Placement {
  readonly translation: vec3;
  readonly rotation: vec4;
  readonly scale: vec3;
}

/** Of one node. */
const MOST = 1000;

/** @throws ConversionError `input_refused` for a transformation of too few numbers */
export function readTransforms(node: DaeElement): Transform[] {
  const transforms = node.children.flatMap((child) => {
    const { name } = child;
    if (!isKind(name)) return [];
    const values = child.numbers;
    if (values.length === 0) return [];
    if (values.length < sizes[name]) throw child.refuse(`has ${values.length} numbers instead of ${sizes[name]}.`);
    return [{ kind: name, sid: child.get('sid') ?? '', values }];
  });
  if (transforms.length > MOST) throw node.refuse(`has ${transforms.length} transformations; there may be ${MOST}.`);
  return transforms;
}

function isKind(name: string): name is TransformKind {
  return name in sizes;
}

/** The transformation that some make together. */
export function placementOf(transforms: readonly Transform[]): Placement {
  return simplePlacement(transforms) ?? decompose(transforms.map(matrixOf).reduce(multiply, identity()));
}

/** Part of a matrix's size that glTF's three steps may be off by. */
const SKEW = 1e-3;

/** True where shifts, turns and sizes of glTF cannot say what the transformations make together. */
export function isSkewed(transforms: readonly Transform[]): boolean {
  if (simplePlacement(transforms) !== undefined) return false;
  const matrix = transforms.map(matrixOf).reduce(multiply, identity());
  const { translation, rotation, scale } = decompose(matrix);
  const made = MathUtils.compose(translation, rotation, scale, identity());
  const size = Math.max(...scale.map(Math.abs));
  return made.some((value, i) => Math.abs(value - (matrix[i] ?? 0)) > SKEW * size && i < 12);
}

const order = ['translate', 'rotate', 'scale'];

/** Shifts before turns before sizes are what glTF has, too: nothing of them is lost, not even of a size of zero. */
function simplePlacement(transforms: readonly Transform[]): Placement | undefined {
  const steps = transforms.map(({ kind }) => order.indexOf(kind));
  if (steps.some((step, i) => step < 0 || step < (steps[i - 1] ?? 0))) return undefined;
  const translation: vec3 = [0, 0, 0];
  let rotation: vec4 = [0, 0, 0, 1];
  const scale: vec3 = [1, 1, 1];
  for (const { kind, values } of transforms) {
    const [x = 0, y = 0, z = 0, angle = 0] = values;
    if (kind === 'rotate') rotation = multiplyTurns(rotation, turnAround([x, y, z], radians(angle)));
    for (const [axis, value] of [x, y, z].entries()) {
      if (kind === 'translate') translation[axis] = (translation[axis] ?? 0) + value;
      else if (kind === 'scale') scale[axis] = (scale[axis] ?? 1) * value;
    }
  }
  return { translation, rotation, scale };
}

function decompose(matrix: mat4): Placement {
  const translation: vec3 = [0, 0, 0];
  const rotation: vec4 = [0, 0, 0, 1];
  const scale: vec3 = [1, 1, 1];
  MathUtils.decompose(matrix, translation, rotation, scale);
  // What has no size in a direction has no rotation that could be seen.
  return { translation, rotation: rotation.every(Number.isFinite) ? rotation : [0, 0, 0, 1], scale };
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

function matrixOf({ kind, values }: Transform): mat4 {
  const [x = 0, y = 0, z = 0, angle = 0] = values;
  if (kind === 'matrix') return fromRows(values);
  if (kind === 'translate') return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, x, y, z, 1];
  if (kind === 'scale') return [x, 0, 0, 0, 0, y, 0, 0, 0, 0, z, 0, 0, 0, 0, 1];
  if (kind === 'rotate')
    return MathUtils.compose([0, 0, 0], turnAround([x, y, z], radians(angle)), [1, 1, 1], identity());
  return kind === 'lookat' ? lookAt(values) : skew(values);
}

/** COLLADA writes matrices row by row; the last is that of any transformation. */
export function fromRows(values: readonly number[]): mat4 {
  const at = (row: number, column: number) => values[4 * row + column] ?? 0;
  const column = (i: number) => [at(0, i), at(1, i), at(2, i)] as const;
  return [...column(0), 0, ...column(1), 0, ...column(2), 0, ...column(3), 1];
}

/** From an eye to a place of interest, which lies along the negative z axis. */
function lookAt(values: readonly number[]): mat4 {
  const at = (i: number): vec3 => [values[i] ?? 0, values[i + 1] ?? 0, values[i + 2] ?? 0];
  const [eye, interest, up] = [at(0), at(3), at(6)];
  const back = unit([eye[0] - interest[0], eye[1] - interest[1], eye[2] - interest[2]]);
  const right = unit(cross(up, back));
  return [...right, 0, ...cross(back, right), 0, ...back, 0, ...eye, 1];
}

/** RenderMan's: an angle in degrees, an axis that is turned, and one along which points are shifted. */
function skew([angle = 0, ...axes]: readonly number[]): mat4 {
  const turned = unit([axes[0] ?? 0, axes[1] ?? 0, axes[2] ?? 0]);
  const along = unit([axes[3] ?? 0, axes[4] ?? 0, axes[5] ?? 0]);
  const slope = Math.tan(radians(angle));
  const cell = (row: 0 | 1 | 2, column: 0 | 1 | 2) => (row === column ? 1 : 0) + slope * along[row] * turned[column];
  const column = (i: 0 | 1 | 2) => [cell(0, i), cell(1, i), cell(2, i)] as const;
  return [...column(0), 0, ...column(1), 0, ...column(2), 0, 0, 0, 0, 1];
}

function cross([ax, ay, az]: vec3, [bx, by, bz]: vec3): vec3 {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

function unit([x, y, z]: vec3): vec3 {
  const length = Math.hypot(x, y, z) || 1;
  return [x / length, y / length, z / length];
}
