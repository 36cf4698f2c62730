import type { Material, vec3 } from '@gltf-transform/core';
import { partOfLight } from '../../part-of-light.ts';
import { PLAIN_GREY } from '../../plain-grey.ts';
import { first, type Numbers, scaledColor } from './fbx-numbers.ts';

const GREY = [PLAIN_GREY, PLAIN_GREY, PLAIN_GREY];
/** Part of the light that a surface which is no metal reflects. */
const DIELECTRIC = 0.04;

/**
 * Gives a material the look that an FBX's Phong material has in Azure Remote Rendering (reference, "Material mapping for model formats").
 * @param assumeMetallic whether what shines brightly is taken for metal
 */
export function applyPhong(material: Material, numbers: Numbers, alpha: number, assumeMetallic: boolean): void {
  const diffuse = scaledColor(numbers, 'DiffuseColor', 'DiffuseFactor', GREY);
  // Lambert's surfaces have no highlights.
  const specular = scaledColor(numbers, 'SpecularColor', 'SpecularFactor', [0, 0, 0]);
  const shininess = first(numbers, 'ShininessExponent') ?? first(numbers, 'Shininess') ?? 0;
  const intensity = 0.2125 * specular[0] + 0.7154 * specular[1] + 0.0721 * specular[2];
  const metalness = assumeMetallic ? metalnessOf(diffuse, specular) : 0;
  const [red, green, blue] = assumeMetallic ? albedoOf(diffuse, specular, metalness) : diffuse;
  material
    .setBaseColorFactor([red, green, blue, alpha])
    .setMetallicFactor(metalness)
    .setRoughnessFactor(partOfLight(Math.sqrt(2 / (Math.max(0, shininess * intensity) + 2))));
}

/** The formula of glTF's specification for its extension of specular and glossiness. */
function metalnessOf(diffuse: vec3, specular: vec3): number {
  const strength = 1 - Math.max(...specular);
  const b = (brightness(diffuse) * strength) / (1 - DIELECTRIC) + brightness(specular) - 2 * DIELECTRIC;
  const c = DIELECTRIC - brightness(specular);
  const root = Math.sqrt(Math.max(0, b * b - 4 * DIELECTRIC * c));
  return partOfLight((-b + root) / (2 * DIELECTRIC));
}

function albedoOf(diffuse: vec3, specular: vec3, metalness: number): vec3 {
  const strength = 1 - Math.max(...specular);
  const plain = strength / (1 - DIELECTRIC) / Math.max(1e-4, 1 - metalness);
  const blend = metalness * metalness;
  const mixed = diffuse.map((value, i) => {
    const metal = ((specular[i] ?? 0) - DIELECTRIC * (1 - metalness)) / Math.max(1e-4, metalness);
    return partOfLight(value * plain * (1 - blend) + metal * blend);
  });
  return [mixed[0] ?? 0, mixed[1] ?? 0, mixed[2] ?? 0];
}

function brightness([red, green, blue]: vec3): number {
  return 0.299 * red * red + 0.587 * green * green + 0.114 * blue * blue;
}
