import { type Accessor, type Document, type Mesh, Primitive } from '@gltf-transform/core';
import { ConversionError } from './conversion-error.ts';
import type { ConversionWarning } from './conversion-outcome.ts';

/**
 * Checks what the optimising libraries trust, and drops mesh parts that show nothing.
 * @throws ConversionError `input_refused` for indices without a vertex, positions that are no numbers, or no geometry at all
 */
export function checkGeometry(document: Document): ConversionWarning[] {
  const warnings: ConversionWarning[] = [];
  const finite = new Set<Accessor>();
  let parts = 0;
  for (const mesh of document.getRoot().listMeshes()) {
    for (const primitive of mesh.listPrimitives()) {
      trimIndices(document, primitive);
      if (showsNothing(primitive)) {
        warnings.push({
          code: 'mesh_part_empty',
          title: 'Mesh part without geometry left out',
          details: { mesh: mesh.getName() },
        });
        primitive.dispose();
        continue;
      }
      checkPart(mesh, primitive, finite);
      parts += 1;
    }
  }
  if (parts === 0) throw refused('it has no geometry: there is nothing to render.');
  return warnings;
}

/** Corners of what is drawn of each one for itself. */
const CORNERS: Readonly<Record<number, number>> = {
  [Primitive.Mode['LINES'] ?? 1]: 2,
  [Primitive.Mode['TRIANGLES'] ?? 4]: 3,
};

/** Indices beyond the last whole line or triangle are ignored by viewers, but not by compressors. */
function trimIndices(document: Document, primitive: Primitive): void {
  const corners = CORNERS[primitive.getMode()] ?? 1;
  const indices = primitive.getIndices();
  const count = cornersOf(primitive);
  if (count % corners === 0) return;
  const whole = count - (count % corners);
  const array = indices?.getArray() ?? Uint32Array.from({ length: count }, (_, i) => i);
  primitive.setIndices(document.createAccessor().setType('SCALAR').setArray(array.slice(0, whole)));
}

function cornersOf(primitive: Primitive): number {
  return primitive.getIndices()?.getCount() ?? primitive.getAttribute('POSITION')?.getCount() ?? 0;
}

/** Corners that the smallest line, loop, strip or fan has, by mode: glTF 2.0, 3.7.2.1. */
const FEWEST_CORNERS = [1, 2, 2, 2, 3, 3, 3];

function showsNothing(primitive: Primitive): boolean {
  const vertices = primitive.getAttribute('POSITION')?.getCount() ?? 0;
  return vertices === 0 || cornersOf(primitive) < (FEWEST_CORNERS[primitive.getMode()] ?? 1);
}

function checkPart(mesh: Mesh, primitive: Primitive, finite: Set<Accessor>): void {
  const name = `mesh '${mesh.getName()}'`;
  const vertices = primitive.getAttribute('POSITION')?.getCount() ?? 0;
  for (const owner of [primitive, ...primitive.listTargets()]) {
    for (const semantic of owner.listSemantics()) {
      const attribute = owner.getAttribute(semantic);
      if (attribute === null) continue;
      const count = attribute.getCount();
      if (count !== vertices) throw refused(`${name} has ${vertices} positions, but ${count} values of ${semantic}.`);
      checkFinite(name, semantic, attribute, finite);
    }
  }
  checkIndices(name, primitive.getIndices(), vertices);
}

function checkFinite(name: string, semantic: string, attribute: Accessor, finite: Set<Accessor>): void {
  // Other attributes are repaired or found by the validator; a position that is no number breaks every bound and grid.
  if (semantic !== 'POSITION' || finite.has(attribute)) return;
  const array = attribute.getArray() ?? [];
  for (let i = 0; i < array.length; i += 1) {
    if (!Number.isFinite(array[i])) throw refused(`${name} has a position that is no number (${array[i]}).`);
  }
  finite.add(attribute);
}

function checkIndices(name: string, indices: Accessor | null, vertices: number): void {
  const array = indices?.getArray();
  if (!array) return;
  for (let i = 0; i < array.length; i += 1) {
    const index = array[i] ?? 0;
    if (index >= vertices) throw refused(`${name} has an index ${index}, but only ${vertices} vertices.`);
  }
}

function refused(what: string): ConversionError {
  return new ConversionError('input_refused', `The model cannot be converted: ${what}`);
}
