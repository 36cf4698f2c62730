import { checkLimit, type WorkLimits } from '../../conversion-limits.ts';
import type { ConversionWarning } from '../../conversion-outcome.ts';
import type { WarningCode } from '../../warning-codes.ts';
import type { FbxObjects } from './fbx-connections.ts';
import { FbxEdits } from './fbx-edits.ts';
import { bytesOf, type FbxFile, type FbxNode, idOf, numbersOf, objectName, subclassOf } from './fbx-node.ts';
import { mendMotion } from './mend-motion.ts';
import { mendPolygons } from './mend-polygons.ts';

interface Mended {
  readonly bytes: Uint8Array;
  readonly warnings: readonly ConversionWarning[];
}

const textures: ReadonlySet<string> = new Set(['Texture', 'LayeredTexture', 'Video']);

/**
 * An FBX without what the library is known to get wrong: the same file where there is nothing of it.
 * @throws ConversionError `input_refused` for arrays that cannot be unpacked, `limit`
 */
export function mendFbx(fbx: FbxFile, bytes: Uint8Array, objects: FbxObjects, limits: WorkLimits): Mended {
  const edits = new FbxEdits();
  const geometries = fbx.nodes.filter((node) => node.name === 'Geometry' && subclassOf(node) === 'Mesh');
  for (const geometry of geometries) {
    mendPolygons(geometry, bytes, edits);
    addMaterialLayer(geometry, objects, edits);
  }
  // Materials get theirs from the file itself, and the library stumbles over some.
  for (const node of fbx.nodes) if (textures.has(node.name)) edits.drop(node);
  mendMotion(fbx.nodes, objects, bytes, edits);
  const warnings = [
    ...leaveOutHidden(fbx.nodes, objects, edits),
    ...leaveOutFarLevels(fbx.nodes, objects, edits),
    ...nameUnknownGeometry(fbx.nodes),
  ];
  partInstances(geometries, fbx, objects, edits, limits);
  return { bytes: edits.apply(bytes, fbx), warnings };
}

/** Where a mesh does not say which of its polygons has which material, all of them have the first; the library would take none. */
function addMaterialLayer(geometry: FbxNode, objects: FbxObjects, edits: FbxEdits): void {
  if (geometry.children.some(({ name }) => name === 'LayerElementMaterial')) return;
  const models = objects.ownersOf(geometry, 'Model');
  const [anchor] = geometry.children.filter(({ name }) => name === 'PolygonVertexIndex');
  if (anchor === undefined || !models.some(({ part }) => objects.partsOf(part, 'Material').length > 0)) return;
  const element = {
    name: 'LayerElement',
    values: [],
    children: [
      { name: 'Type', values: ['LayerElementMaterial'] },
      { name: 'TypedIndex', values: [0] },
    ],
  };
  edits.insertBefore(anchor, {
    name: 'LayerElementMaterial',
    values: [0],
    children: [
      { name: 'Version', values: [101] },
      { name: 'Name', values: [''] },
      { name: 'MappingInformationType', values: ['AllSame'] },
      { name: 'ReferenceInformationType', values: ['IndexToDirect'] },
      { name: 'Materials', values: [new Int32Array(1)] },
    ],
  });
  const [first] = geometry.children.find(({ name }) => name === 'Layer')?.children ?? [];
  if (first !== undefined) edits.insertBefore(first, element);
  else edits.insertBefore(anchor, { name: 'Layer', values: [0], children: [element] });
}

/**
 * Gives each object a mesh of its own that shows another's with other materials: the library would show all of them with those of the first.
 */
function partInstances(
  geometries: readonly FbxNode[],
  { nodes, unpackedBytes }: FbxFile,
  objects: FbxObjects,
  edits: FbxEdits,
  limits: WorkLimits,
): void {
  let unpacked = unpackedBytes;
  let id = nodes.reduce((largest, node) => Math.max(largest, idOf(node)), 0);
  for (const geometry of geometries) {
    for (const group of usersByMaterials(geometry, objects)) {
      const others = group.filter(({ connection, part }) => !edits.has(connection.node) && isExact(idOf(part)));
      if (others.length === 0 || !isExact(id + 1)) continue;
      id += 1;
      unpacked += bytesOf(geometry);
      checkLimit('unpackedBytes', unpacked, limits);
      edits.insertBefore(geometry, { copyOf: geometry, id });
      for (const { part, connection } of others) {
        edits.replace(connection.node, { name: 'C', values: ['OO', BigInt(id), BigInt(idOf(part))] });
      }
    }
  }
}

/** The objects that show a geometry with other materials than the first does, in groups of the same ones. What is deformed has one object. */
function usersByMaterials(geometry: FbxNode, objects: FbxObjects): ReturnType<FbxObjects['ownersOf']>[] {
  const users = objects.ownersOf(geometry, 'Model');
  if (users.length < 2 || objects.partsOf(geometry, 'Deformer').length > 0) return [];
  return [...Map.groupBy(users, ({ part }) => materialsOf(part, objects)).values()].slice(1);
}

/** Numbers that a double does not hold would connect other objects. */
function isExact(id: number): boolean {
  return Number.isSafeInteger(id);
}

function materialsOf(model: FbxNode, objects: FbxObjects): string {
  return objects
    .partsOf(model, 'Material')
    .map(({ part }) => idOf(part))
    .join();
}

/** Meshes of hidden objects, unless nothing else would be left. */
function leaveOutHidden(nodes: readonly FbxNode[], objects: FbxObjects, edits: FbxEdits): ConversionWarning[] {
  const models = nodes.filter(({ name }) => name === 'Model');
  const shown = models.filter((model) => objects.partsOf(model, 'Geometry').length > 0);
  const hidden = shown.filter((model) => isHidden(model, objects));
  if (hidden.length === 0 || hidden.length === shown.length) return [];
  for (const model of hidden) {
    for (const { connection } of objects.partsOf(model, 'Geometry')) edits.drop(connection.node);
  }
  return [leftOut('hidden_left_out', 'Hidden objects left out', hidden)];
}

/** Hidden by itself, or with what it lies in; not what an animation may show. */
function isHidden(model: FbxNode, objects: FbxObjects): boolean {
  if (isSwitchedOff(model, objects, true)) return true;
  const seen = new Set([model]);
  for (let [parent] = objects.ownersOf(model, 'Model'); parent !== undefined && !seen.has(parent.part); ) {
    if (isSwitchedOff(parent.part, objects, false)) return true;
    seen.add(parent.part);
    [parent] = objects.ownersOf(parent.part, 'Model');
  }
  return false;
}

function isSwitchedOff(model: FbxNode, objects: FbxObjects, itself: boolean): boolean {
  const numbers = numbersOf(model);
  const animated = objects
    .partsOf(model, 'AnimationCurveNode')
    .some(({ connection }) => connection.property === 'Visibility');
  if (animated) return false;
  return numbers.get('Visibility')?.[0] === 0 || (itself && numbers.get('Show')?.[0] === 0);
}

/** Of objects that stand for one at several distances, all but the nearest. */
function leaveOutFarLevels(nodes: readonly FbxNode[], objects: FbxObjects, edits: FbxEdits): ConversionWarning[] {
  const groups = nodes.filter((node) => node.name === 'Model' && subclassOf(node) === 'LodGroup');
  const far = groups.flatMap((group) => objects.partsOf(group, 'Model').slice(1));
  for (const { connection } of far) edits.drop(connection.node);
  if (far.length === 0) return [];
  const models = far.map(({ part }) => part);
  return [leftOut('levels_of_detail_left_out', 'Levels of detail for larger distances left out', models)];
}

/** Surfaces and curves that are no polygons. */
function nameUnknownGeometry(nodes: readonly FbxNode[]): ConversionWarning[] {
  const unknown = nodes.filter((node) => node.name === 'Geometry' && /nurb|patch|boundary/i.test(subclassOf(node)));
  if (unknown.length === 0) return [];
  return [leftOut('free_forms_left_out', 'Free-form curves and surfaces left out', unknown)];
}

/** Names that are listed in a warning at most. */
const MOST_NAMES = 20;

function leftOut(code: WarningCode, title: string, nodes: readonly FbxNode[]): ConversionWarning {
  const names = nodes.slice(0, MOST_NAMES).map(objectName);
  const more = nodes.length > MOST_NAMES ? ` and ${nodes.length - MOST_NAMES} more` : '';
  return { code, title, details: { objects: names.join(', ') + more } };
}
