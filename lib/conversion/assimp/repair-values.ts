import type { Document, Material, Node, Primitive } from '@gltf-transform/core';
import { partOfLight } from '../part-of-light.ts';

/** Mends values of a document that no format allows, and drops what the library adds to every node of its own. */
export function repairValues(document: Document): void {
  for (const node of document.getRoot().listNodes()) repairNode(node);
  for (const material of document.getRoot().listMaterials()) repairMaterial(material);
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      flattenTexcoords(part);
      replaceNoNumbers(part);
    }
  }
}

/** Texture coordinates may have a depth in other formats. */
function flattenTexcoords(part: Primitive): void {
  for (const semantic of part.listSemantics().filter((name) => name.startsWith('TEXCOORD_'))) {
    const deep = part.getAttribute(semantic);
    const from = deep?.getArray();
    if (!deep || !from || deep.getType() !== 'VEC3') continue;
    const flat = Float32Array.from({ length: 2 * deep.getCount() }, (_, i) => from[3 * (i >> 1) + (i & 1)] ?? 0);
    part.setAttribute(semantic, deep.clone().setType('VEC2').setArray(flat));
  }
}

/** Directions, colours and texture coordinates that are no numbers say nothing; positions are looked at elsewhere. */
function replaceNoNumbers(part: Primitive): void {
  for (const semantic of part.listSemantics().filter((name) => name !== 'POSITION')) {
    const attribute = part.getAttribute(semantic);
    const values = attribute?.getArray();
    if (!(values instanceof Float32Array) || values.every(Number.isFinite)) continue;
    attribute?.setArray(values.map((value) => (Number.isFinite(value) ? value : 0)));
  }
}

function repairNode(node: Node): void {
  const values = [...node.getTranslation(), ...node.getRotation(), ...node.getScale()];
  if (!values.every(Number.isFinite)) node.setTranslation([0, 0, 0]).setRotation([0, 0, 0, 1]).setScale([1, 1, 1]);
  const rotation = node.getRotation();
  const length = Math.hypot(...rotation);
  if (length === 0) node.setRotation([0, 0, 0, 1]);
  else if (Math.abs(length - 1) > 1e-6) {
    const [x, y, z, w] = rotation;
    node.setRotation([x / length, y / length, z / length, w / length]);
  }
}

/** Factors are parts of the light: glTF 2.0, 3.9. */
function repairMaterial(material: Material): void {
  const [red, green, blue, alpha] = material.getBaseColorFactor();
  material.setBaseColorFactor([partOfLight(red), partOfLight(green), partOfLight(blue), partOfLight(alpha)]);
  const [r, g, b] = material.getEmissiveFactor();
  material.setEmissiveFactor([partOfLight(r), partOfLight(g), partOfLight(b)]);
  material.setRoughnessFactor(partOfLight(material.getRoughnessFactor()));
  material.setMetallicFactor(partOfLight(material.getMetallicFactor()));
  if (!(material.getAlphaCutoff() >= 0)) material.setAlphaCutoff(0.5);
  if (partOfLight(alpha) < 1 && material.getAlphaMode() === 'OPAQUE') material.setAlphaMode('BLEND');
}
