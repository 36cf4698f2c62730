import type { Document, Mesh, Primitive } from '@gltf-transform/core';
import type { DaeElement } from './dae-element.ts';
import type { DaeGeometries, DaeGeometry, DaePart } from './dae-geometry.ts';
import { component, inputSource, readNames, readSource } from './dae-source.ts';

interface Morph {
  readonly document: Document;
  readonly geometries: DaeGeometries;
  readonly morph: DaeElement;
  readonly geometry: DaeGeometry;
  readonly mesh: Mesh;
}

/** A mesh of its own with the shapes that a controller blends. Those of other vertices, and that are not there, are left out with a warning. */
export function morphMesh({ document, geometries, morph, geometry, mesh }: Morph): Mesh {
  const inputs = morph.child('targets');
  const targets = readNames(inputSource(inputs, 'MORPH_TARGET')).map((id) => morph.home.find(id, ['geometry']));
  const weights = inputSource(inputs, 'MORPH_WEIGHT');
  const values = weights === undefined ? [] : Array.from(readSource(weights, 1).values);
  const isRelative = morph.get('method') === 'RELATIVE';
  const shapes = targets.map((target) => target && geometries.get(target));
  const usable = shapes.map((shape) => (shape?.positions.count === geometry.positions.count ? shape : undefined));
  warnOfLost({ geometries, geometry, shapes, usable });
  const morphed = document.createMesh(mesh.getName());
  for (const [i, part] of geometry.parts.entries()) {
    const primitive = mesh.listPrimitives()[i]?.clone();
    if (primitive === undefined) continue;
    // A weight belongs to each shape by its place.
    for (const shape of usable)
      addTarget({ document, geometries, primitive, part, number: i, geometry, shape, isRelative });
    morphed.addPrimitive(primitive);
  }
  const names = shapes.map(nameOf);
  return morphed.setWeights(shapes.map((_, i) => values[i] ?? 0)).setExtras({ targetNames: names });
}

interface Shapes {
  readonly geometries: DaeGeometries;
  readonly geometry: DaeGeometry;
  readonly shapes: readonly (DaeGeometry | undefined)[];
  readonly usable: readonly (DaeGeometry | undefined)[];
}

function warnOfLost({ geometries, geometry, shapes, usable }: Shapes): void {
  const lost = shapes.flatMap((shape, i) => (usable[i] === undefined ? [nameOf(shape, i)] : []));
  if (lost.length === 0) return;
  const details = { mesh: geometry.name, shapes: lost.slice(0, MOST_NAMES).join(', '), count: String(lost.length) };
  geometries.warnings.push({ code: 'shape_left_out', title: 'Shapes that are none of their mesh left out', details });
}

/** Names that are listed in a warning at most. */
const MOST_NAMES = 20;

function nameOf(shape: DaeGeometry | undefined, number: number): string {
  return shape?.name || `target ${number}`;
}

interface Target {
  readonly document: Document;
  readonly geometries: DaeGeometries;
  readonly primitive: Primitive;
  readonly part: DaePart;
  readonly number: number;
  readonly geometry: DaeGeometry;
  readonly shape: DaeGeometry | undefined;
  readonly isRelative: boolean;
}

function addTarget({ document, geometries, primitive, part, number, geometry, shape, isRelative }: Target): void {
  const { vertices } = part;
  geometries.count(vertices.length);
  const deltas = new Float32Array(3 * vertices.length);
  for (let i = 0; i < vertices.length && shape !== undefined; i += 1) {
    const vertex = vertices[i] ?? 0;
    for (let axis = 0; axis < 3; axis += 1) {
      const from = isRelative ? 0 : component(geometry.positions, vertex, axis);
      deltas[3 * i + axis] = component(shape.positions, vertex, axis) - from;
    }
  }
  const target = document.createPrimitiveTarget().setAttribute('POSITION', geometries.accessor('VEC3', deltas));
  const normals = isRelative ? undefined : normalDeltas(part, shape?.parts[number]);
  if (normals !== undefined) target.setAttribute('NORMAL', geometries.accessor('VEC3', normals));
  else if (primitive.getAttribute('NORMAL') !== null && !isRelative) {
    target.setAttribute('NORMAL', geometries.accessor('VEC3', new Float32Array(3 * vertices.length)));
  }
  primitive.addTarget(target);
}

/** How the light changes, where both shapes are cut alike. */
function normalDeltas(part: DaePart, shape: DaePart | undefined): Float32Array<ArrayBuffer> | undefined {
  const from = part.attributes.get('NORMAL')?.getArray();
  const to = shape?.attributes.get('NORMAL')?.getArray();
  if (!from || !to || from.length !== to.length) return undefined;
  return Float32Array.from(to, (value, i) => value - (from[i] ?? 0));
}
