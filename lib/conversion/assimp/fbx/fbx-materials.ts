import type { Document, Material, vec3 } from '@gltf-transform/core';
import type { ConversionSettings } from '../../conversion-settings.ts';
import { type FbxFile, type FbxNode, numbersOf, objectName, textOf } from './fbx-node.ts';

/** Part of the light that a surface which is no metal reflects. */
const DIELECTRIC = 0.04;

/**
 * Gives a document's materials the look that an FBX's Phong materials have in Azure Remote Rendering (reference, "Material mapping for model
 * formats"). Those of a physical kind, which 3ds Max adds, say what they are.
 */
export function applyFbxMaterials(document: Document, { nodes }: FbxFile, settings: ConversionSettings): void {
  const byName = Map.groupBy(
    nodes.filter(({ name }) => name === 'Material'),
    objectName,
  );
  const templates = materialTemplates(nodes);
  for (const material of document.getRoot().listMaterials()) {
    const found = pick(byName.get(material.getName()) ?? [], material);
    if (found !== undefined) applyMaterial(material, withTemplate(found, templates), settings);
  }
}

/** Of several with one name, the one whose colour the importer has. */
function pick(nodes: readonly FbxNode[], material: Material): FbxNode | undefined {
  const [red, green, blue] = material.getBaseColorFactor();
  const same = nodes.find((node) => {
    const [r = -1, g = -1, b = -1] = numbersOf(node).get('DiffuseColor') ?? [];
    return Math.hypot(r - red, g - green, b - blue) < 0.001;
  });
  return same ?? nodes[0];
}

type Numbers = ReadonlyMap<string, readonly number[]>;

/** What holds for every material of a kind that says nothing else, by the kind. */
function materialTemplates(nodes: readonly FbxNode[]): ReadonlyMap<string, Numbers> {
  const types = nodes.filter(({ name }) => name === 'Definitions').flatMap(({ children }) => children);
  const templates = types
    .filter(({ name, values }) => name === 'ObjectType' && values[0] === 'Material')
    .flatMap(({ children }) => children.filter(({ name }) => name === 'PropertyTemplate'));
  return new Map(templates.map((node) => [String(node.values[0]).toLowerCase(), numbersOf(node)]));
}

function withTemplate(node: FbxNode, templates: ReadonlyMap<string, Numbers>): Numbers {
  const own = numbersOf(node);
  const kind = `fbxsurface${textOf(node, 'ShadingModel').toLowerCase()}`;
  const numbers = new Map(templates.get(kind) ?? []);
  // Older names for the same: what the material itself has goes before what the template has by another name.
  numbers.delete('Opacity');
  if (own.has('Shininess')) numbers.delete('ShininessExponent');
  return new Map([...numbers, ...own]);
}

function applyMaterial(material: Material, numbers: Numbers, settings: ConversionSettings): void {
  const alpha = opacityOf(numbers);
  if (alpha < 1) material.setAlphaMode('BLEND');
  else if (material.getBaseColorTexture() === null) material.setAlphaMode('OPAQUE');
  const metal = firstOf(numbers, '3dsMax|Parameters|metalness', '3dsMax|main|metalness', 'Maya|metalness');
  const rough = firstOf(numbers, '3dsMax|Parameters|roughness', '3dsMax|main|roughness', 'Maya|specularRoughness');
  if (metal === undefined && rough === undefined) applyPhong(material, numbers, alpha, settings);
  else material.setMetallicFactor(part(metal ?? 0)).setRoughnessFactor(part(rough ?? 0.5));
}

function applyPhong(material: Material, numbers: Numbers, alpha: number, settings: ConversionSettings): void {
  const hasTexture = material.getBaseColorTexture() !== null;
  const diffuse = scaled(numbers, 'DiffuseColor', 'DiffuseFactor', material.getBaseColorFactor().slice(0, 3));
  // Lambert's surfaces have no highlights.
  const specular = scaled(numbers, 'SpecularColor', 'SpecularFactor', [0, 0, 0]);
  const shininess = firstOf(numbers, 'ShininessExponent', 'Shininess') ?? 0;
  const intensity = 0.2125 * specular[0] + 0.7154 * specular[1] + 0.0721 * specular[2];
  // A texture is the colour; how much of it is metal would have to be known for each of its pixels.
  const assumeMetallic = settings.fbxAssumeMetallic && !hasTexture;
  const metalness = assumeMetallic ? metalnessOf(diffuse, specular) : 0;
  const albedo = assumeMetallic ? albedoOf(diffuse, specular, metalness) : diffuse;
  const [red, green, blue] = hasTexture ? [1, 1, 1] : albedo;
  material
    .setBaseColorFactor([red ?? 1, green ?? 1, blue ?? 1, alpha])
    .setMetallicFactor(metalness)
    .setRoughnessFactor(part(Math.sqrt(2 / (Math.max(0, shininess * intensity) + 2))));
}

/** The formula of glTF's specification for its extension of specular and glossiness. */
function metalnessOf(diffuse: vec3, specular: vec3): number {
  const strength = 1 - Math.max(...specular);
  const b = (brightness(diffuse) * strength) / (1 - DIELECTRIC) + brightness(specular) - 2 * DIELECTRIC;
  const c = DIELECTRIC - brightness(specular);
  const root = Math.sqrt(Math.max(0, b * b - 4 * DIELECTRIC * c));
  return part((-b + root) / (2 * DIELECTRIC));
}

function albedoOf(diffuse: vec3, specular: vec3, metalness: number): vec3 {
  const strength = 1 - Math.max(...specular);
  const plain = strength / (1 - DIELECTRIC) / Math.max(1e-4, 1 - metalness);
  const blend = metalness * metalness;
  const mixed = diffuse.map((value, i) => {
    const metal = ((specular[i] ?? 0) - DIELECTRIC * (1 - metalness)) / Math.max(1e-4, metalness);
    return part(value * plain * (1 - blend) + metal * blend);
  });
  return [mixed[0] ?? 0, mixed[1] ?? 0, mixed[2] ?? 0];
}

function brightness([red, green, blue]: vec3): number {
  return 0.299 * red * red + 0.587 * green * green + 0.114 * blue * blue;
}

function opacityOf(numbers: Numbers): number {
  const opacity = first(numbers, 'Opacity');
  if (opacity !== undefined) return part(opacity);
  const colour = numbers.get('TransparentColor') ?? [];
  const factor = first(numbers, 'TransparencyFactor') ?? 0;
  if (colour.length < 3) return part(1 - factor);
  const [red = 0, green = 0, blue = 0] = colour;
  // Programs write a white one for materials that a factor of zero makes opaque, and leave out the zero.
  return part(1 - ((red + green + blue) / 3) * factor);
}

function scaled(numbers: Numbers, colour: string, factor: string, otherwise: readonly number[]): vec3 {
  const [red = 0, green = 0, blue = 0] = numbers.get(colour) ?? otherwise;
  const by = first(numbers, factor) ?? 1;
  return [part(red * by), part(green * by), part(blue * by)];
}

function firstOf(numbers: Numbers, ...names: readonly string[]): number | undefined {
  return names.map((name) => first(numbers, name)).find((value) => value !== undefined);
}

function first(numbers: Numbers, name: string): number | undefined {
  return numbers.get(name)?.[0];
}

function part(value: number): number {
  return value > 0 ? Math.min(1, value) : 0;
}
