import type { Document, Primitive, PrimitiveTarget } from '@gltf-transform/core';
import type { ConversionSettings } from './conversion-settings.ts';
import { moveTexcoords } from './texture-coordinates.ts';

type VertexFormats = ConversionSettings['vertex'];

/**
 * Drops the attributes that an imported model is not to have, and the textures that need them (contract 2.7, `vertex`). A bitangent is none
 * of glTF's: viewers make it from the tangent.
 */
export function dropAttributes(document: Document, formats: VertexFormats): void {
  dropDirections(document, formats);
  const colors = slotsWithout([formats.color0, formats.color1]);
  const texcoords = slotsWithout([formats.texcoord0, formats.texcoord1]);
  for (const part of allParts(document)) {
    if (colors !== undefined) moveSlots(part, 'COLOR_', colors);
    if (texcoords !== undefined) moveSlots(part, 'TEXCOORD_', texcoords);
  }
  if (texcoords !== undefined) moveTexcoords(document, texcoords);
}

/** Drops the normals and tangents that a model is not to have; again where they have been made since. */
export function dropDirections(document: Document, { normal, tangent }: VertexFormats): void {
  // A tangent space needs both.
  const unwanted = normal === 'NONE' ? ['NORMAL', 'TANGENT'] : tangent === 'NONE' ? ['TANGENT'] : [];
  if (unwanted.length === 0) return;
  for (const part of allParts(document)) for (const semantic of unwanted) part.setAttribute(semantic, null);
}

type SlotOf = (slot: number) => number | undefined;

/** Slots behind the second go with it. They are counted without gaps (glTF 2.0, 3.7.2.1): without the first, the others move up. */
function slotsWithout([first, second]: readonly [string, string]): SlotOf | undefined {
  if (first !== 'NONE' && second !== 'NONE') return undefined;
  return (slot) => {
    if ((slot === 0 ? first : second) === 'NONE') return undefined;
    return first === 'NONE' ? slot - 1 : slot;
  };
}

function moveSlots(part: Primitive | PrimitiveTarget, prefix: string, slotOf: SlotOf): void {
  // In their order: each moves to where the one before it has gone from.
  const semantics = part.listSemantics().filter((semantic) => semantic.startsWith(prefix));
  for (const semantic of semantics.toSorted((a, b) => slotIn(a) - slotIn(b))) {
    const attribute = part.getAttribute(semantic);
    const slot = slotOf(slotIn(semantic));
    part.setAttribute(semantic, null);
    if (slot !== undefined) part.setAttribute(`${prefix}${slot}`, attribute);
  }
}

function slotIn(semantic: string): number {
  return Number(semantic.slice(semantic.lastIndexOf('_') + 1));
}

function allParts(document: Document): (Primitive | PrimitiveTarget)[] {
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
  return parts.flatMap((part) => [part, ...part.listTargets()]);
}

export interface Quantisation {
  /** Semantics, as regular expressions, that are stored as integers of 8 or 16 bits. */
  readonly semantics: readonly string[];
  readonly directionBits: 8 | 16;
}

/** What is quantised: glTF has no floats of 16 bits, and integers of 16 bits say more in as many bytes. */
export function quantisationOf({ position, texcoord0, texcoord1, normal, tangent }: VertexFormats): Quantisation {
  const semantics = ['JOINTS_\\d+', 'WEIGHTS_\\d+', 'COLOR_\\d+'];
  if (position === '16_16_16_16_FLOAT') semantics.push('POSITION');
  if (texcoord0 === '16_16_FLOAT') semantics.push('TEXCOORD_0');
  if (texcoord1 === '16_16_FLOAT') semantics.push('TEXCOORD_[1-9]\\d*');
  return { semantics, directionBits: [normal, tangent].includes('16_16_16_16_FLOAT') ? 16 : 8 };
}
