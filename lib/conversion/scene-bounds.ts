import {
  type Accessor,
  type bbox,
  MathUtils,
  type Mesh,
  type mat4,
  type Node,
  type Primitive,
  type Scene,
  type vec3,
  type vec4,
} from '@gltf-transform/core';
import type { InstancedMesh } from '@gltf-transform/extensions';
import { identity, multiply } from './geometry/transforms.ts';

/** The box around all that a scene shows in its pose of rest; infinite where it shows nothing. */
export function sceneBounds(scene: Scene): bbox {
  const bounds = empty();
  const { shown, skinned } = nodesOf(scene);
  const meshBoxes = new Map<Mesh, bbox>();
  for (const { mesh } of shown) if (!meshBoxes.has(mesh)) meshBoxes.set(mesh, boxOf(mesh));
  // What reaches furthest comes first: hardly any of the others has to be looked at point by point.
  const boxes = shown.map(({ mesh, matrix }) => {
    const box = turned(meshBoxes.get(mesh) ?? empty(), matrix);
    return { mesh, matrix, box, reach: reachOf(box) };
  });
  boxes.sort((a, b) => b.reach - a.reach);
  for (const { mesh, matrix, box } of boxes) if (!holds(bounds, box)) addPoints(bounds, mesh, matrix);
  for (const node of skinned) addSkinned(bounds, node);
  return bounds;
}

function nodesOf(scene: Scene): { shown: Shown[]; skinned: Node[] } {
  const shown: Shown[] = [];
  const skinned: Node[] = [];
  const waiting = scene.listChildren().map((node) => ({ node, parent: identity() }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node } = next;
    const matrix = multiply(next.parent, node.getMatrix());
    if (node.getSkin() !== null) skinned.push(node);
    // A skin has a place of its own.
    else for (const one of meshesOf(node, matrix)) shown.push(one);
    for (const child of node.listChildren()) waiting.push({ node: child, parent: matrix });
  }
  return { shown, skinned };
}

interface Shown {
  readonly mesh: Mesh;
  readonly matrix: mat4;
}

function meshesOf(node: Node, matrix: mat4): Shown[] {
  const mesh = node.getMesh();
  if (mesh === null) return [];
  const instances = node.getExtension<InstancedMesh>('EXT_mesh_gpu_instancing');
  if (instances === null) return [{ mesh, matrix }];
  const count = instances.listAttributes()[0]?.getCount() ?? 0;
  return Array.from({ length: count }, (_, i) => ({ mesh, matrix: multiply(matrix, instanceMatrix(instances, i)) }));
}

function instanceMatrix(instances: InstancedMesh, index: number): mat4 {
  const [translation, rotation, scale]: [vec3, vec4, vec3] = [
    [0, 0, 0],
    [0, 0, 0, 1],
    [1, 1, 1],
  ];
  instances.getAttribute('TRANSLATION')?.getElement(index, translation);
  instances.getAttribute('ROTATION')?.getElement(index, rotation);
  instances.getAttribute('SCALE')?.getElement(index, scale);
  return MathUtils.compose(translation, rotation, scale, identity());
}

function boxOf(mesh: Mesh): bbox {
  const box = empty();
  for (const position of positionsOf(mesh)) {
    const [min, max] = [position.getMinNormalized([]), position.getMaxNormalized([])];
    add(box, min[0] ?? 0, min[1] ?? 0, min[2] ?? 0);
    add(box, max[0] ?? 0, max[1] ?? 0, max[2] ?? 0);
  }
  return box;
}

/** The box around a turned box: at least as large as the box around the points in it. */
function turned({ min, max }: bbox, m: mat4): bbox {
  const [x, y, z] = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
  const [a, b, c] = [max[0] - x, max[1] - y, max[2] - z];
  const middle = empty();
  addMoved(middle, m, x, y, z);
  const reach = [0, 1, 2].map(
    (i) => Math.abs(m[i] ?? 0) * a + Math.abs(m[i + 4] ?? 0) * b + Math.abs(m[i + 8] ?? 0) * c,
  );
  const [right = 0, up = 0, ahead = 0] = reach;
  return {
    min: [middle.min[0] - right, middle.min[1] - up, middle.min[2] - ahead],
    max: [middle.max[0] + right, middle.max[1] + up, middle.max[2] + ahead],
  };
}

function addPoints(bounds: bbox, mesh: Mesh, matrix: mat4): void {
  for (const position of positionsOf(mesh)) {
    const points = floatsOf(position);
    for (let i = 0; i + 2 < points.length; i += 3) {
      addMoved(bounds, matrix, points[i] ?? 0, points[i + 1] ?? 0, points[i + 2] ?? 0);
    }
  }
}

function floatsOf(position: Accessor): Float32Array {
  const array = position.getArray();
  if (array instanceof Float32Array) return array;
  const floats = new Float32Array(position.getCount() * 3);
  const point: number[] = [];
  for (let i = 0; i < position.getCount(); i += 1) floats.set(position.getElement(i, point), 3 * i);
  return floats;
}

/** glTF 2.0, 3.7.3: joints place the vertices of a skin, and nothing else does. */
function addSkinned(bounds: bbox, node: Node): void {
  const skin = node.getSkin();
  if (skin === null) return;
  const inverse = skin.getInverseBindMatrices();
  const matrices = skin
    .listJoints()
    .map((joint, i) => multiply(joint.getWorldMatrix(), inverse?.getElement(i, identity()) ?? identity()));
  for (const part of node.getMesh()?.listPrimitives() ?? []) addPosed(bounds, part, matrices);
}

function addPosed(bounds: bbox, part: Primitive, matrices: readonly mat4[]): void {
  const position = part.getAttribute('POSITION');
  const [joints, weights] = [part.getAttribute('JOINTS_0'), part.getAttribute('WEIGHTS_0')];
  const points = position === null ? [] : floatsOf(position);
  const [joint, weight]: [number[], number[]] = [[], []];
  for (let vertex = 0; 3 * vertex < points.length; vertex += 1) {
    joints?.getElement(vertex, joint);
    weights?.getElement(vertex, weight);
    const [px = 0, py = 0, pz = 0] = [points[3 * vertex], points[3 * vertex + 1], points[3 * vertex + 2]];
    let [x, y, z, sum] = [0, 0, 0, 0];
    for (let i = 0; i < 4; i += 1) {
      const share = weight[i] ?? 0;
      const m = matrices[joint[i] ?? 0];
      if (share === 0 || m === undefined) continue;
      x += share * (m[0] * px + m[4] * py + m[8] * pz + m[12]);
      y += share * (m[1] * px + m[5] * py + m[9] * pz + m[13]);
      z += share * (m[2] * px + m[6] * py + m[10] * pz + m[14]);
      sum += share;
    }
    if (sum > 0) add(bounds, x / sum, y / sum, z / sum);
    else add(bounds, px, py, pz);
  }
}

function positionsOf(mesh: Mesh): Accessor[] {
  return mesh.listPrimitives().flatMap((part) => part.getAttribute('POSITION') ?? []);
}

function addMoved(bounds: bbox, m: mat4, x: number, y: number, z: number): void {
  add(
    bounds,
    m[0] * x + m[4] * y + m[8] * z + m[12],
    m[1] * x + m[5] * y + m[9] * z + m[13],
    m[2] * x + m[6] * y + m[10] * z + m[14],
  );
}

function add({ min, max }: bbox, x: number, y: number, z: number): void {
  if (x < min[0]) min[0] = x;
  if (y < min[1]) min[1] = y;
  if (z < min[2]) min[2] = z;
  if (x > max[0]) max[0] = x;
  if (y > max[1]) max[1] = y;
  if (z > max[2]) max[2] = z;
}

function empty(): bbox {
  return { min: [Infinity, Infinity, Infinity], max: [-Infinity, -Infinity, -Infinity] };
}

function holds({ min, max }: bbox, inner: bbox): boolean {
  const [a, b] = [inner.min, inner.max];
  const isAbove = a[0] >= min[0] && a[1] >= min[1] && a[2] >= min[2];
  return isAbove && b[0] <= max[0] && b[1] <= max[1] && b[2] <= max[2];
}

function reachOf({ min, max }: bbox): number {
  return Math.max(-min[0], -min[1], -min[2], max[0], max[1], max[2]);
}
