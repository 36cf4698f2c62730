import type { mat4 } from '@gltf-transform/core';
import type { GrowingArray } from '../geometry/growing-array.ts';

/** One part of a package: a model of objects that refer to each other by number. */
export interface ThreemfModel {
  readonly unit: string;
  readonly generator: string;
  readonly objects: ReadonlyMap<string, ThreemfObject>;
  /** What triangles and objects refer to for their looks, by number. */
  readonly groups: ReadonlyMap<string, PropertyGroup>;
  /** The package's path of each image, by number. */
  readonly textures: ReadonlyMap<string, string>;
  readonly items: readonly Placed[];
}

export interface ThreemfObject {
  readonly id: string;
  readonly name: string;
  /** What holds for triangles that say nothing themselves. */
  readonly group: string | undefined;
  readonly index: number;
  readonly vertices: GrowingArray<Float32Array<ArrayBuffer>>;
  /** Three vertices for each triangle. */
  readonly triangles: GrowingArray<Uint32Array<ArrayBuffer>>;
  /** For each triangle its group, counted from 1 in `groupIds`, and three places within it; zeros for none. */
  readonly properties: GrowingArray<Uint32Array<ArrayBuffer>>;
  readonly groupIds: string[];
  readonly components: Placed[];
}

/** An object, placed in another or to be shown. */
export interface Placed {
  readonly object: string;
  /** The package's path of the part that has the object; undefined for the same part. */
  readonly path: string | undefined;
  readonly transform: mat4 | undefined;
}

/** Colours in sRGB, red to alpha from 0 to 1; texture coordinates with their texture's number. */
export type PropertyGroup =
  | { readonly kind: 'materials'; readonly entries: { readonly name: string; readonly color: Color }[] }
  | { readonly kind: 'colors'; readonly entries: Color[] }
  | { readonly kind: 'texcoords'; readonly texture: string; readonly entries: (readonly [number, number])[] };

export type Color = readonly [red: number, green: number, blue: number, alpha: number];
