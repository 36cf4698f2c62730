import { ConversionError } from '../conversion-error.ts';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { GltfFile } from './gltf-file.ts';
import { bytesOf, componentsOf, type Gltf } from './gltf-schema.ts';

/**
 * Checks what the reading library trusts: that every index has its target, every range lies within its buffer and the unpacked
 * data fits into memory.
 * @throws ConversionError `input_refused`, `limit`
 */
export function checkStructure({ gltf, binary }: GltfFile, limits: WorkLimits): void {
  checkIndices(gltf);
  checkViews(gltf, binary !== null);
  checkLimit('nodes', gltf.nodes.length, limits);
  checkAccessors(gltf);
  checkSizes(gltf, limits);
}

/** Where an index stands, its value and how many things it may mean. */
type Reference = readonly [where: string, index: number | undefined, targets: readonly unknown[]];

function checkIndices(gltf: Gltf): void {
  const all = [sceneReferences, meshReferences, skinReferences, animationReferences, imageReferences];
  for (const references of all) {
    for (const [where, index, targets] of references(gltf)) {
      if (index !== undefined && index >= targets.length) {
        throw refused(`${where} is number ${index}, but there are ${targets.length}`);
      }
    }
  }
}

function* sceneReferences({ scene, scenes, nodes, meshes, skins, cameras }: Gltf): Iterable<Reference> {
  yield ['scene', scene, scenes];
  for (const [i, { nodes: roots }] of scenes.entries()) {
    for (const root of roots) yield [`a node of scenes[${i}]`, root, nodes];
  }
  for (const [i, node] of nodes.entries()) {
    for (const child of node.children) yield [`a child of nodes[${i}]`, child, nodes];
    yield [`the mesh of nodes[${i}]`, node.mesh, meshes];
    yield [`the skin of nodes[${i}]`, node.skin, skins];
    yield [`the camera of nodes[${i}]`, node.camera, cameras];
  }
}

function* meshReferences({ meshes, materials, accessors, bufferViews }: Gltf): Iterable<Reference> {
  for (const [i, { primitives }] of meshes.entries()) {
    for (const { material, indices, attributes, targets, extensions } of primitives) {
      const packed = extensions?.KHR_draco_mesh_compression;
      yield [`the bufferView of a part of meshes[${i}] that Draco has compressed`, packed?.bufferView, bufferViews];
      yield [`a material of meshes[${i}]`, material, materials];
      yield [`an accessor of indices of meshes[${i}]`, indices, accessors];
      for (const [name, accessor] of [attributes, ...targets].flatMap(Object.entries<number>)) {
        yield [`the accessor of ${name} of meshes[${i}]`, accessor, accessors];
      }
    }
  }
}

function* skinReferences({ skins, nodes, accessors }: Gltf): Iterable<Reference> {
  for (const [i, skin] of skins.entries()) {
    for (const joint of skin.joints) yield [`a joint of skins[${i}]`, joint, nodes];
    yield [`the skeleton of skins[${i}]`, skin.skeleton, nodes];
    yield [`the inverseBindMatrices of skins[${i}]`, skin.inverseBindMatrices, accessors];
  }
}

function* animationReferences({ animations, nodes, accessors }: Gltf): Iterable<Reference> {
  for (const [i, { channels, samplers }] of animations.entries()) {
    for (const { sampler, target } of channels) {
      yield [`a sampler of a channel of animations[${i}]`, sampler, samplers];
      yield [`a target of a channel of animations[${i}]`, target.node, nodes];
    }
    for (const { input, output } of samplers) {
      yield [`an input of animations[${i}]`, input, accessors];
      yield [`an output of animations[${i}]`, output, accessors];
    }
  }
}

function* imageReferences({ textures, images, samplers, bufferViews }: Gltf): Iterable<Reference> {
  for (const [i, { source, sampler }] of textures.entries()) {
    yield [`the source of textures[${i}]`, source, images];
    yield [`the sampler of textures[${i}]`, sampler, samplers];
  }
  for (const [i, { bufferView }] of images.entries()) yield [`the bufferView of images[${i}]`, bufferView, bufferViews];
}

function checkViews(gltf: Gltf, hasBinary: boolean): void {
  for (const [i, view] of gltf.bufferViews.entries()) {
    const range = view.extensions?.EXT_meshopt_compression ?? view;
    const buffer = gltf.buffers[range.buffer];
    if (buffer === undefined) throw refused(`bufferViews[${i}] lies in buffer ${range.buffer}, which is not there`);
    if (range.byteOffset + range.byteLength > buffer.byteLength) {
      throw refused(`bufferViews[${i}] ends beyond the ${buffer.byteLength} bytes of its buffer`);
    }
    if (buffer.uri === undefined && !(hasBinary && range.buffer === 0)) {
      throw refused(`bufferViews[${i}] lies in buffers[${range.buffer}], which has no uri`);
    }
  }
}

function checkAccessors(gltf: Gltf): void {
  for (const [i, accessor] of gltf.accessors.entries()) {
    const { componentType, type, count, sparse } = accessor;
    const bytes = elementBytes(componentType, type);
    checkRange(gltf, `accessors[${i}]`, accessor, bytes, count);
    if (sparse) {
      if (sparse.count > count) throw refused(`accessors[${i}] replaces ${sparse.count} of ${count} elements`);
      const indexBytes = elementBytes(sparse.indices.componentType, 'SCALAR');
      checkRange(gltf, `the sparse indices of accessors[${i}]`, sparse.indices, indexBytes, sparse.count);
      checkRange(gltf, `the sparse values of accessors[${i}]`, sparse.values, bytes, sparse.count);
    }
  }
}

function checkSizes(gltf: Gltf, limits: WorkLimits): void {
  const parts = gltf.meshes.flatMap(({ primitives }) => primitives);
  const positions = new Set(parts.map(({ attributes }) => attributes['POSITION']));
  const vertices = [...positions].map((index) => (index === undefined ? 0 : (gltf.accessors[index]?.count ?? 0)));
  checkLimit('vertices', sum(vertices), limits);
  const accessors = gltf.accessors.map(({ componentType, type, count }) => elementBytes(componentType, type) * count);
  const compressed = gltf.bufferViews.map(({ extensions }) => {
    const view = extensions?.EXT_meshopt_compression;
    return view === undefined ? 0 : view.count * view.byteStride;
  });
  checkLimit('unpackedBytes', sum(accessors) + sum(compressed), limits);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function checkRange(
  gltf: Gltf,
  what: string,
  { bufferView, byteOffset }: { readonly bufferView?: number | undefined; readonly byteOffset: number },
  bytes: number,
  count: number,
): void {
  if (bufferView === undefined || count === 0) return;
  const view = gltf.bufferViews[bufferView];
  if (view === undefined) throw refused(`${what} lies in bufferView ${bufferView}, which is not there`);
  const compressed = view.extensions?.EXT_meshopt_compression;
  const length = compressed ? compressed.count * compressed.byteStride : view.byteLength;
  const stride = view.byteStride ?? bytes;
  if (byteOffset + stride * (count - 1) + bytes > length) {
    throw refused(`${what} ends beyond the ${length} bytes of bufferViews[${bufferView}]`);
  }
}

function elementBytes(componentType: number, type: keyof typeof componentsOf): number {
  return (bytesOf[componentType] ?? 0) * componentsOf[type];
}

function refused(what: string): ConversionError {
  return new ConversionError('input_refused', `The model is no valid glTF: ${what}. Export it again.`);
}
