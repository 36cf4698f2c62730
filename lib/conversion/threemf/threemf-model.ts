import type { mat4 } from '@gltf-transform/core';
import type { GrowingArray } from '../geometry/growing-array.ts';

/** One part of a package: a model of objects that refer to each other by number. */
export interface ThreemfModel {
  readonly unit: string;
  readonly generator: string;
  readonly objects: ReadonlyMap<string, ThreemfObject>;
  readonly resources: ThreemfResources;
  readonly items: readonly Placed[];
  /** What the part has that is neither shown nor told by its shape, in words. */
  readonly leftOut: ReadonlySet<string>;
  /** True where triangles are painted with filaments. */
  readonly isPainted: boolean;
}

/** What the looks of objects and triangles refer to, by number. */
export interface ThreemfResources {
  readonly groups: ReadonlyMap<string, PropertyGroup>;
  readonly textures: ReadonlyMap<string, TextureResource>;
  readonly displays: ReadonlyMap<string, readonly DisplayProperties[]>;
}

export interface ThreemfObject {
  readonly id: string;
  readonly name: string;
  /** `other` is what is not to be built: boxes that tell a slicer where to do something. */
  readonly type: string;
  /** What holds for triangles that say nothing themselves. */
  readonly group: string | undefined;
  readonly index: number;
  readonly vertices: GrowingArray<Float32Array<ArrayBuffer>>;
  /** Three vertices for each triangle. */
  readonly triangles: GrowingArray<Uint32Array<ArrayBuffer>>;
  /** For each triangle its group, counted from 1 in `groupIds`, and three places within it; zeros for none. */
  readonly properties: GrowingArray<Uint32Array<ArrayBuffer>>;
  readonly groupIds: Map<string, number>;
  /** The filament that each triangle is painted with in a slicer, 0 for none; ends with the last that is. */
  readonly painted: GrowingArray<Uint8Array<ArrayBuffer>>;
  readonly components: Placed[];
}

/** The number by which an object's triangles say a group. */
export function numberOfGroup({ groupIds }: ThreemfObject, group: string): number {
  const number = groupIds.get(group) ?? groupIds.size + 1;
  groupIds.set(group, number);
  return number;
}

/** An object, placed in another or to be shown. */
export interface Placed {
  readonly object: string;
  /** The package's path of the part that has the object; undefined for the same part. */
  readonly path: string | undefined;
  readonly transform: mat4 | undefined;
}

/** Materials and properties extension, 2 to 5; `display` is the number of how a group is best displayed. */
export type PropertyGroup = PlainGroup | MultiGroup;

export type PlainGroup =
  | { readonly kind: 'materials'; readonly display?: string; readonly entries: { name: string; color: Color }[] }
  | { readonly kind: 'colors'; readonly display?: string; readonly entries: Color[] }
  | {
      readonly kind: 'texcoords';
      readonly display?: string;
      readonly texture: string;
      readonly entries: (readonly [number, number])[];
    }
  | {
      readonly kind: 'composites';
      readonly display?: string;
      /** The group of materials that are mixed, and their places in it. */
      readonly materials: string;
      readonly indices: readonly number[];
      /** How much of each. */
      readonly entries: (readonly number[])[];
    };

/** Layers of other groups, the lowest first. */
export interface MultiGroup {
  readonly kind: 'multi';
  readonly groups: readonly string[];
  /** Of each layer but the lowest. */
  readonly methods: readonly string[];
  /** A place in each of the groups. */
  readonly entries: (readonly number[])[];
}

export interface TextureResource {
  /** In the package. */
  readonly path: string;
  readonly tileStyleU: string;
  readonly tileStyleV: string;
  readonly filter: string;
}

/** How one material of a group reflects light; 7 of the extension. */
export interface DisplayProperties {
  readonly metallic: number;
  readonly roughness: number;
  /** Of a dielectric that is no usual one. */
  readonly specular?: Color;
  /** Its index of refraction, where light goes through. */
  readonly refraction?: number;
}

/** In sRGB, red to alpha from 0 to 1. */
export type Color = readonly [red: number, green: number, blue: number, alpha: number];
