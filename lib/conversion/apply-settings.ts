import type { Document, Material, Property } from '@gltf-transform/core';
import type { ConversionWarning } from './conversion-outcome.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { linearMaterials, linearVertices } from './linear-colors.ts';
import { type MaterialOverride, overridesOf } from './material-overrides.ts';
import type { ModelFormatId } from './model-formats.ts';
import { overrideMaterial, setUnlit } from './override-material.ts';

/**
 * Does to an imported model what its settings and material overrides ask of its colours, materials and metadata. Where both say something
 * of a material, the override does.
 * @returns what of it has no effect
 * @throws ConversionError `limit` for expressions of overrides that take too long
 */
export function applySettings(
  document: Document,
  settings: ConversionSettings,
  format: ModelFormatId,
  overrides: readonly MaterialOverride[] = [],
): ConversionWarning[] {
  makeLinear(document, settings, format);
  if (settings.metadataKeys !== undefined) keepMetadata(document, settings.metadataKeys);
  const { warnings, chosen } = applyOverrides(document, overrides, format);
  applyToMaterials(document, settings, chosen);
  return [...warningsOf(settings, format), ...warnings];
}

/**
 * Whether a format's colours are taken for sRGB where the settings do not say: contract 2.7 has it so for all that the service read but glTF,
 * which says itself that it is linear (glTF 2.0, 3.9.2). So have viewers of the others, which show colours as they stand in the file.
 */
const isGamma = (format: ModelFormatId) => format !== 'gltf';

/** Formats whose importers make the colours of vertices linear while they read them. */
const linearVerticesOnImport: ReadonlySet<ModelFormatId> = new Set<ModelFormatId>([
  '3mf',
  'las',
  'off',
  'ply',
  'stl',
  'xyz',
]);

/** Formats whose importers make the colours of materials linear, or that have none: what is in their materials is ours. */
const linearMaterialsOnImport = linearVerticesOnImport;

function makeLinear(document: Document, settings: ConversionSettings, format: ModelFormatId): void {
  const { gammaToLinearMaterial = isGamma(format), gammaToLinearVertex = isGamma(format) } = settings;
  if (gammaToLinearMaterial && !linearMaterialsOnImport.has(format)) linearMaterials(document);
  if (gammaToLinearVertex && !linearVerticesOnImport.has(format)) linearVertices(document);
}

type Chosen = ReadonlyMap<Material, MaterialOverride>;

function applyOverrides(
  document: Document,
  overrides: readonly MaterialOverride[],
  format: ModelFormatId,
): { readonly warnings: ConversionWarning[]; readonly chosen: Chosen } {
  const materials = document.getRoot().listMaterials();
  const byName = overridesOf(
    materials.map((material) => material.getName()),
    overrides,
  );
  const chosen = new Map<Material, MaterialOverride>();
  const unheld = new Map<MaterialOverride, Map<string, string>>();
  for (const material of materials) {
    const override = byName.get(material.getName());
    if (override === undefined) continue;
    chosen.set(material, override);
    const found = overrideMaterial(document, material, override, format);
    unheld.set(override, new Map([...(unheld.get(override) ?? []), ...found]));
  }
  const warnings = [
    ...overrides.filter((override) => !unheld.has(override)).map(unused),
    ...[...unheld].flatMap(([{ name }, found]) =>
      [...found].map(([key, why]) => withoutEffect(key, why, { override: name })),
    ),
  ];
  return { warnings, chosen };
}

function applyToMaterials(document: Document, settings: ConversionSettings, chosen: Chosen): void {
  const { opaqueMaterialDefaultSidedness, unlitMaterials } = settings;
  const isDoubleSided = opaqueMaterialDefaultSidedness === 'DoubleSided';
  if (!isDoubleSided && !unlitMaterials) return;
  nameDefaultMaterial(document);
  for (const material of document.getRoot().listMaterials()) {
    const override = chosen.get(material);
    const isOpaque = material.getAlphaMode() !== 'BLEND';
    if (isDoubleSided && isOpaque && override?.isDoubleSided === undefined) material.setDoubleSided(true);
    if (unlitMaterials && override?.unlit === undefined) setUnlit(document, material, true);
  }
}

/** glTF 2.0, 5.24.4: the first mode that has triangles; points and lines come before it. */
const TRIANGLES = 4;

/** Triangles without a material have glTF's default one, which cannot be changed: glTF 2.0, 3.9.6. */
function nameDefaultMaterial(document: Document): void {
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives())
    .filter((part) => part.getMaterial() === null && part.getMode() >= TRIANGLES);
  if (parts.length === 0) return;
  const material = document.createMaterial();
  for (const part of parts) part.setMaterial(material);
}

/** Leaves what the patterns do not name out of all `extras`. */
function keepMetadata(document: Document, patterns: readonly string[]): void {
  const exact = new Set(patterns);
  const starts = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  const isKept = (key: string) => exact.has(key) || starts.some((start) => key.startsWith(start));
  const root = document.getRoot();
  const meshes = root.listMeshes();
  const parts = meshes.flatMap((mesh) => mesh.listPrimitives());
  const owners: readonly Property[] = [
    ...[root, ...root.listScenes(), ...root.listNodes(), ...meshes, ...parts, ...root.listMaterials()],
    ...[...root.listTextures(), ...root.listCameras(), ...root.listSkins(), ...root.listAnimations()],
  ];
  for (const owner of owners) {
    // The names of morph targets are no metadata: glTF 2.0, 3.7.2.2, implementation note.
    const isName = (key: string) => key === 'targetNames' && owner.propertyType === 'Mesh';
    const kept = Object.entries(owner.getExtras()).filter(([key]) => isKept(key) || isName(key));
    owner.setExtras(Object.fromEntries(kept));
  }
}

/** Settings that have no effect; one that says what holds anyhow is none. */
function warningsOf(settings: ConversionSettings, format: ModelFormatId): ConversionWarning[] {
  const warnings: ConversionWarning[] = [];
  if (!settings.generateCollisionMesh) {
    warnings.push(
      withoutEffect('generateCollisionMesh', 'picking works on the geometry that is shown', { value: 'false' }),
    );
  }
  if (!settings.fbxAssumeMetallic && format !== 'fbx') {
    warnings.push(withoutEffect('fbxAssumeMetallic', 'the model is no FBX', { value: 'false' }));
  }
  if (settings.vertex.binormal === '16_16_16_16_FLOAT') {
    const why = 'glTF stores no binormals: viewers make them from normals and tangents';
    warnings.push(withoutEffect('vertex.binormal', why, { value: settings.vertex.binormal }));
  }
  return warnings;
}

function withoutEffect(setting: string, why: string, details: Record<string, string>): ConversionWarning {
  return { code: 'setting_without_effect', title: 'Setting without an effect', details: { setting, ...details, why } };
}

function unused({ name, nameMatching = 'exact' }: MaterialOverride): ConversionWarning {
  return {
    code: 'override_unused',
    title: 'Material override that is for no material of the model',
    details: { override: name, nameMatching },
  };
}
