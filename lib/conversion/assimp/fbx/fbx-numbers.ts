import type { vec3 } from '@gltf-transform/core';
import { partOfLight } from '../../part-of-light.ts';
import { type FbxNode, numbersOf, textOf } from './fbx-node.ts';

/** Numbers of a material's properties by their name. */
export type Numbers = ReadonlyMap<string, readonly number[]>;

/** What holds for every material of a kind that says nothing else, by the kind. */
export function materialTemplates(nodes: readonly FbxNode[]): ReadonlyMap<string, Numbers> {
  const types = nodes.filter(({ name }) => name === 'Definitions').flatMap(({ children }) => children);
  const templates = types
    .filter(({ name, values }) => name === 'ObjectType' && values[0] === 'Material')
    .flatMap(({ children }) => children.filter(({ name }) => name === 'PropertyTemplate'));
  return new Map(templates.map((node) => [String(node.values[0]).toLowerCase(), numbersOf(node)]));
}

/** A material's own numbers, and those of its kind. */
export function withTemplate(node: FbxNode, templates: ReadonlyMap<string, Numbers>): Numbers {
  const own = numbersOf(node);
  const kind = `fbxsurface${textOf(node, 'ShadingModel').toLowerCase()}`;
  const numbers = new Map(templates.get(kind) ?? []);
  // Older names for the same: what the material itself has goes before what the template has by another name.
  numbers.delete('Opacity');
  if (own.has('Shininess')) numbers.delete('ShininessExponent');
  return new Map([...numbers, ...own]);
}

/** The part of the light that a material lets not through. */
export function opacityOf(numbers: Numbers): number {
  const opacity = first(numbers, 'Opacity');
  if (opacity !== undefined) return partOfLight(opacity);
  const colour = numbers.get('TransparentColor') ?? [];
  const factor = first(numbers, 'TransparencyFactor') ?? 0;
  if (colour.length < 3) return partOfLight(1 - factor);
  const [red = 0, green = 0, blue = 0] = colour;
  // Programs write a white one for materials that a factor of zero makes opaque, and leave out the zero.
  return partOfLight(1 - ((red + green + blue) / 3) * factor);
}

/** A colour and its strength. */
export function scaledColor(
  numbers: Numbers,
  color: string,
  strength: string | undefined,
  otherwise: readonly number[],
): vec3 {
  const [red = 0, green = 0, blue = 0] = numbers.get(color) ?? otherwise;
  const by = (strength === undefined ? undefined : first(numbers, strength)) ?? 1;
  return [partOfLight(red * by), partOfLight(green * by), partOfLight(blue * by)];
}

export function first(numbers: Numbers, name: string): number | undefined {
  return numbers.get(name)?.[0];
}
