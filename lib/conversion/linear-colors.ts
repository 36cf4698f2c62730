import type { Accessor, Document, vec3 } from '@gltf-transform/core';
import type { DiffuseTransmission, PBRSpecularGlossiness, Sheen, Specular, Volume } from '@gltf-transform/extensions';

/** IEC 61966-2-1: the linear brightness of an sRGB one. */
export function linearOf(brightness: number): number {
  return brightness <= 0.04045 ? brightness / 12.92 : ((brightness + 0.055) / 1.055) ** 2.4;
}

/** Makes the colours of materials linear that are given in sRGB, as glTF wants only textures to be. */
export function linearMaterials(document: Document): void {
  for (const material of document.getRoot().listMaterials()) {
    const [r, g, b, alpha] = material.getBaseColorFactor();
    material.setBaseColorFactor([...linear([r, g, b]), alpha]);
    material.setEmissiveFactor(linear(material.getEmissiveFactor()));
    const sheen = material.getExtension<Sheen>('KHR_materials_sheen');
    sheen?.setSheenColorFactor(linear(sheen.getSheenColorFactor()));
    const specular = material.getExtension<Specular>('KHR_materials_specular');
    specular?.setSpecularColorFactor(linear(specular.getSpecularColorFactor()));
    const volume = material.getExtension<Volume>('KHR_materials_volume');
    volume?.setAttenuationColor(linear(volume.getAttenuationColor()));
    const transmission = material.getExtension<DiffuseTransmission>('KHR_materials_diffuse_transmission');
    transmission?.setDiffuseTransmissionColorFactor(linear(transmission.getDiffuseTransmissionColorFactor()));
    const glossiness = material.getExtension<PBRSpecularGlossiness>('KHR_materials_pbrSpecularGlossiness');
    if (glossiness === null) continue;
    const [red, green, blue, opacity] = glossiness.getDiffuseFactor();
    glossiness.setDiffuseFactor([...linear([red, green, blue]), opacity]);
    glossiness.setSpecularFactor(linear(glossiness.getSpecularFactor()));
  }
}

/** Makes the colours of vertices linear that are given in sRGB; opacities are linear already. */
export function linearVertices(document: Document): void {
  const colors = new Set<Accessor>();
  for (const mesh of document.getRoot().listMeshes()) {
    for (const part of mesh.listPrimitives()) {
      for (const semantic of part.listSemantics()) {
        const attribute = semantic.startsWith('COLOR_') ? part.getAttribute(semantic) : null;
        if (attribute !== null) colors.add(attribute);
      }
    }
  }
  for (const attribute of colors) linearAccessor(attribute);
}

function linearAccessor(accessor: Accessor): void {
  const element: number[] = [];
  for (let i = 0; i < accessor.getCount(); i += 1) {
    accessor.getElement(i, element);
    for (let j = 0; j < 3; j += 1) element[j] = linearOf(element[j] ?? 0);
    accessor.setElement(i, element);
  }
}

function linear([r, g, b]: vec3): vec3 {
  return [linearOf(r), linearOf(g), linearOf(b)];
}
