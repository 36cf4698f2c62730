import {
  type Accessor,
  type Document,
  type Mesh,
  Node,
  type Primitive,
  type PrimitiveTarget,
} from '@gltf-transform/core';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { accessorConverter, type Shape } from './convert-accessor.ts';

/**
 * Gives the vertices of a glTF the attributes that glTF 2.0, 3.7.2 allows, where exporters write others that viewers show all the same.
 * @returns a warning for each mesh of which something is made up or left out
 */
export function mendAttributes(document: Document): ConversionWarning[] {
  const convert = accessorConverter();
  for (const node of document.getRoot().listNodes()) if (node.getMesh() === null) node.setWeights([]);
  return document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => {
      const mended = new Set(mesh.listPrimitives().flatMap((part) => mendPart(part, convert)));
      mendTargets(document, mesh);
      return [...mended].map((attribute) => warning(mesh, attribute));
    });
}

type Convert = ReturnType<typeof accessorConverter>;

/** @returns the attributes that are others than the model has */
function mendPart(part: Primitive, convert: Convert): string[] {
  for (const owner of [part, ...part.listTargets()]) renameUnknown(owner);
  const count = part.getAttribute('POSITION')?.getCount() ?? 0;
  // What has no positions at all is dropped later.
  const mended =
    count === 0 ? [] : part.listSemantics().filter((semantic) => !mendAttribute(part, semantic, count, convert));
  for (const target of part.listTargets()) mendTarget(part, target, convert);
  return [...mended, ...dropHalfSkins(part)];
}

/** @returns false where there are other values than the model has */
function mendAttribute(part: Primitive, semantic: string, count: number, convert: Convert): boolean {
  const attribute = part.getAttribute(semantic);
  if (attribute === null) return true;
  const isColor = semantic.startsWith('COLOR_') && attribute.getElementSize() >= 3;
  if (semantic.startsWith('COLOR_') && !isColor) {
    part.setAttribute(semantic, null);
    return false;
  }
  const converted = convert(attribute, shapeOf(semantic), count);
  if (semantic.startsWith('TEXCOORD_') || isColor) dropNonNumbers(converted);
  part.setAttribute(semantic, converted);
  return attribute.getCount() === count;
}

/** Exporters divide by the area of triangles that have none. */
function dropNonNumbers(attribute: Accessor): void {
  const array = attribute.getArray();
  if (!(array instanceof Float32Array)) return;
  for (let i = 0; i < array.length; i += 1) if (!Number.isFinite(array[i])) array[i] = 0;
}

/** Morph targets hold differences of what the part itself has. */
function mendTarget(part: Primitive, target: PrimitiveTarget, convert: Convert): void {
  for (const semantic of target.listSemantics()) {
    const attribute = target.getAttribute(semantic);
    const isKept = attribute !== null && part.getAttribute(semantic) !== null && MORPHED.test(semantic);
    const { sizes } = shapeOf(semantic === 'TANGENT' ? 'NORMAL' : semantic);
    const shape: Shape = { sizes, kind: 'number', filler: 0 };
    target.setAttribute(semantic, isKept ? convert(attribute, shape, attribute.getCount()) : null);
  }
}

/** What morph targets may move: glTF 2.0, 3.7.2.2. */
const MORPHED = /^(POSITION|NORMAL|TANGENT|TEXCOORD_\d+|COLOR_\d+)$/;

const KNOWN = /^(POSITION|NORMAL|TANGENT|(TEXCOORD|COLOR|JOINTS|WEIGHTS)_(0|[1-9]\d*)|_.*)$/;

/** glTF 2.0, 3.7.2.1: attributes of one's own begin with an underscore. The first version of glTF did not number the others. */
function renameUnknown(owner: Primitive | PrimitiveTarget): void {
  for (const semantic of owner.listSemantics().filter((name) => !KNOWN.test(name))) {
    const name = /^(TEXCOORD|COLOR)$/.test(semantic) ? `${semantic}_0` : `_${semantic}`;
    if (owner.getAttribute(name) === null) owner.setAttribute(name, owner.getAttribute(semantic));
    owner.setAttribute(semantic, null);
  }
}

const SHAPES: Readonly<Record<string, Shape>> = {
  POSITION: { sizes: [3], kind: 'number', filler: 0 },
  NORMAL: { sizes: [3], kind: 'direction', filler: 0 },
  TANGENT: { sizes: [4], kind: 'direction', filler: 1 },
  TEXCOORD: { sizes: [2], kind: 'number', filler: 0 },
  COLOR: { sizes: [3, 4], kind: 'part', filler: 1 },
  JOINTS: { sizes: [4], kind: 'index', filler: 0 },
  WEIGHTS: { sizes: [4], kind: 'part', filler: 0 },
};
const OWN: Shape = { sizes: [], kind: 'number', filler: 0 };

function shapeOf(semantic: string): Shape {
  return SHAPES[semantic.split('_')[0] ?? ''] ?? OWN;
}

/** Joints without their weights, or weights without their joints. */
function dropHalfSkins(part: Primitive): string[] {
  const sets = part.listSemantics().filter((semantic) => /^(JOINTS|WEIGHTS)_/.test(semantic));
  const alone = sets.filter((semantic) => {
    const other = semantic.startsWith('J')
      ? semantic.replace('JOINTS', 'WEIGHTS')
      : semantic.replace('WEIGHTS', 'JOINTS');
    return part.getAttribute(other) === null;
  });
  for (const semantic of alone) part.setAttribute(semantic, null);
  return alone;
}

/** All parts of a mesh have as many morph targets, each of which moves something, and weights for as many. */
function mendTargets(document: Document, mesh: Mesh): void {
  const parts = mesh.listPrimitives();
  const count = parts.reduce((most, part) => Math.max(most, part.listTargets().length), 0);
  for (const part of parts) {
    while (count > part.listTargets().length) part.addTarget(document.createPrimitiveTarget());
    const still = part.listTargets().filter((target) => target.listSemantics().length === 0);
    const vertices = part.getAttribute('POSITION')?.getCount() ?? 0;
    if (still.length === 0 || vertices === 0) continue;
    const zeros = document
      .createAccessor()
      .setType('VEC3')
      .setArray(new Float32Array(3 * vertices));
    for (const target of still) target.setAttribute('POSITION', zeros);
  }
  mesh.setWeights(resized(mesh.getWeights(), count));
  for (const node of mesh.listParents()) {
    if (node instanceof Node) node.setWeights(resized(node.getWeights(), count));
  }
}

function resized(weights: readonly number[], count: number): number[] {
  return weights.length === 0 ? [] : Array.from({ length: count }, (_, i) => weights[i] ?? 0);
}

function warning(mesh: Mesh, attribute: string): ConversionWarning {
  const details = { mesh: mesh.getName(), attribute };
  return { code: 'attribute_mended', title: 'Vertices with too few or too many values of an attribute', details };
}
