import type { vec3 } from '@gltf-transform/core';
import { partOfLight } from '../../part-of-light.ts';
import { type Numbers, scaledColor } from './fbx-numbers.ts';

/** A surface as the physical materials of modelling programs describe it. */
export type FbxLook =
  | {
      readonly kind: 'metal';
      readonly color: vec3;
      readonly emission: vec3;
      readonly metalness: number;
      readonly roughness: number;
    }
  | {
      readonly kind: 'gloss';
      readonly color: vec3;
      readonly emission: vec3;
      readonly specular: vec3;
      readonly glossiness: number;
    };

/** Names of the properties of one kind of physical material; its textures lie at the names of `fbxMaps`. */
interface Dialect {
  readonly color: string;
  readonly colorStrength?: string;
  readonly metalness: string;
  readonly roughness: string;
  readonly emission: string;
  readonly emissionStrength?: string;
}

/** Of 3ds Max's Physical Material, its PBR Material, and Maya's Stingray and Arnold (Standard Surface). */
const dialects: readonly Dialect[] = [
  {
    color: '3dsMax|Parameters|base_color',
    colorStrength: '3dsMax|Parameters|base_weight',
    metalness: '3dsMax|Parameters|metalness',
    roughness: '3dsMax|Parameters|roughness',
    emission: '3dsMax|Parameters|emit_color',
    emissionStrength: '3dsMax|Parameters|emission',
  },
  {
    color: '3dsMax|main|basecolor',
    metalness: '3dsMax|main|metalness',
    roughness: '3dsMax|main|roughness',
    emission: '3dsMax|main|emit_color',
  },
  {
    color: 'Maya|base_color',
    metalness: 'Maya|metallic',
    roughness: 'Maya|roughness',
    emission: 'Maya|emissive',
    emissionStrength: 'Maya|emissive_intensity',
  },
  {
    color: 'Maya|baseColor',
    colorStrength: 'Maya|base',
    metalness: 'Maya|metalness',
    roughness: 'Maya|specularRoughness',
    emission: 'Maya|emissionColor',
    emissionStrength: 'Maya|emission',
  },
];

/** The maps of a surface, by the properties of materials that they are connected to. */
export const fbxMaps = {
  color: [
    'DiffuseColor',
    'Maya|DiffuseTexture',
    'Maya|TEX_color_map',
    'Maya|baseColor',
    '3dsMax|Parameters|base_color_map',
    '3dsMax|main|base_color_map',
  ],
  normal: ['NormalMap', 'Maya|NormalTexture', 'Maya|TEX_normal_map', '3dsMax|main|norm_map'],
  /** Of heights or of normals: their colours tell. */
  bump: ['Bump', 'Maya|normalCamera', '3dsMax|Parameters|bump_map', '3dsMax|main|bump_map'],
  emission: [
    'EmissiveColor',
    'Maya|TEX_emissive_map',
    'Maya|emissionColor',
    '3dsMax|Parameters|emit_color_map',
    '3dsMax|Parameters|emission_map',
    '3dsMax|main|emit_color_map',
  ],
  metalness: [
    'Maya|TEX_metallic_map',
    'Maya|metalness',
    '3dsMax|Parameters|metalness_map',
    '3dsMax|main|metalness_map',
  ],
  roughness: [
    'Maya|TEX_roughness_map',
    'Maya|specularRoughness',
    'Maya|diffuseRoughness',
    '3dsMax|Parameters|roughness_map',
    '3dsMax|main|roughness_map',
  ],
  occlusion: ['Maya|TEX_ao_map', '3dsMax|main|ao_map'],
  opacity: [
    'TransparentColor',
    'TransparencyFactor',
    'Opacity',
    'Maya|FalloffTexture',
    'Maya|opacity',
    '3dsMax|Parameters|cutout_map',
    '3dsMax|main|opacity_map',
  ],
  specular: ['3dsMax|main|specular_map'],
  glossiness: ['3dsMax|main|glossiness_map'],
  /** What glTF has no place for. */
  unused: [
    'SpecularColor',
    'SpecularFactor',
    'ShininessExponent',
    'ReflectionColor',
    'ReflectionFactor',
    'DisplacementColor',
  ],
} as const;

/** Blender writes the maps of its Principled shader to those of Phong's. */
export const blenderMaps = { metalness: ['ReflectionFactor'], roughness: ['Shininess', 'ShininessExponent'] } as const;

/** What a physical material looks like; undefined for one of Phong's kind. */
export function lookOf(numbers: Numbers): FbxLook | undefined {
  const main = dialects[1];
  if (main !== undefined && !numbers.has(main.metalness) && numbers.has('3dsMax|main|glossiness')) {
    return {
      kind: 'gloss',
      color: scaledColor(numbers, main.color, undefined, [1, 1, 1]),
      emission: scaledColor(numbers, main.emission, undefined, [0, 0, 0]),
      specular: scaledColor(numbers, '3dsMax|main|Specular', undefined, [0, 0, 0]),
      glossiness: partOfLight(numbers.get('3dsMax|main|glossiness')?.[0] ?? 0),
    };
  }
  const dialect = dialects.find(({ metalness, roughness }) => numbers.has(metalness) || numbers.has(roughness));
  if (dialect === undefined) return undefined;
  const rough = partOfLight(numbers.get(dialect.roughness)?.[0] ?? 0.5);
  return {
    kind: 'metal',
    color: scaledColor(numbers, dialect.color, dialect.colorStrength, numbers.get('DiffuseColor') ?? [1, 1, 1]),
    emission: scaledColor(numbers, dialect.emission, dialect.emissionStrength, [0, 0, 0]),
    metalness: partOfLight(numbers.get(dialect.metalness)?.[0] ?? 0),
    roughness: isGloss(numbers) ? 1 - rough : rough,
  };
}

/** True where what is called roughness is how smooth a surface is. */
export function isGloss(numbers: Numbers): boolean {
  return (
    numbers.get('3dsMax|main|useGlossiness')?.[0] === 1 || numbers.get('3dsMax|Parameters|roughness_inv')?.[0] === 1
  );
}
