import { BufferBuilder, type GltfJson, glb } from './gltf.ts';
import { png } from './png.ts';

const asset = { version: '2.0', generator: 'test models' };

/** Parts of a document that a feature adds to a textured quad. */
interface Addition {
  readonly json?: GltfJson;
  readonly material?: GltfJson;
  readonly node?: GltfJson;
  readonly part?: GltfJson;
}

/** A textured quad of which a feature replaces or adds parts; `add` gets the buffer, whose accessor 0 has the four positions. */
export function featureGlb(add: (buffer: BufferBuilder) => Addition = () => ({})): Uint8Array {
  const buffer = new BufferBuilder();
  const attributes = {
    POSITION: buffer.add('VEC3', new Float32Array([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0])),
    TEXCOORD_0: buffer.add('VEC2', new Float32Array([0, 1, 1, 1, 1, 0, 0, 0])),
  };
  const indices = buffer.add('SCALAR', new Uint16Array([0, 1, 2, 0, 2, 3]));
  const image = buffer.addBytes(png(4, [150, 100, 50]));
  const { json = {}, material = {}, node = {}, part = {} } = add(buffer);
  const document = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ name: 'quad', mesh: 0, ...node }],
    meshes: [{ name: 'quad', primitives: [{ attributes, indices, material: 0, ...part }] }],
    materials: [{ name: 'wooden', pbrMetallicRoughness: { baseColorTexture: { index: 0 } }, ...material }],
    textures: [{ source: 0 }],
    images: [{ name: 'wood', mimeType: 'image/png', bufferView: image }],
    ...json,
  };
  return glb({ ...document, ...buffer.json() }, buffer.bytes());
}

/** A box of which every position but the first is a sparse replacement of zeros. */
export function sparseGlb(): Uint8Array {
  const buffer = new BufferBuilder();
  const values = buffer.addBytes(new Uint8Array(new Float32Array([2, 0, 0, 0, 2, 0]).buffer));
  const indices = buffer.addBytes(new Uint8Array(new Uint16Array([1, 2]).buffer));
  const accessor = {
    componentType: 5126,
    count: 3,
    type: 'VEC3',
    min: [0, 0, 0],
    max: [2, 2, 0],
    sparse: { count: 2, indices: { bufferView: indices, componentType: 5123 }, values: { bufferView: values } },
  };
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }],
    ...buffer.json(),
    accessors: [accessor],
  };
  return glb(json, buffer.bytes());
}
