import { type Accessor, ComponentTypeToTypedArray, type Primitive } from '@gltf-transform/core';

/** Gives every corner of a mesh part a vertex of its own. */
export function unweldPart(part: Primitive): void {
  const indices = part.getIndices()?.getArray();
  if (!indices) return;
  const unwelded = new Map<Accessor, Accessor>();
  for (const owner of [part, ...part.listTargets()]) {
    for (const semantic of owner.listSemantics()) {
      const attribute = owner.getAttribute(semantic);
      if (attribute === null) continue;
      const corners = unwelded.get(attribute) ?? gather(attribute, indices);
      unwelded.set(attribute, corners);
      owner.setAttribute(semantic, corners);
    }
  }
  part.setIndices(null);
}

function gather(attribute: Accessor, indices: ArrayLike<number>): Accessor {
  const source = attribute.getArray() ?? [];
  const size = attribute.getElementSize();
  const TypedArray = ComponentTypeToTypedArray[attribute.getComponentType()] ?? Float32Array;
  const corners = new TypedArray(indices.length * size);
  for (let corner = 0; corner < indices.length; corner += 1) {
    const first = (indices[corner] ?? 0) * size;
    for (let i = 0; i < size; i += 1) corners[corner * size + i] = source[first + i] ?? 0;
  }
  return attribute.clone().setArray(corners);
}
