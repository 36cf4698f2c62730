import { BufferBuilder, type GltfJson, glb } from './gltf.ts';
import { png } from './png.ts';

/** A model's files by their path in its folder. */
export type ModelFiles = Readonly<Record<string, Uint8Array>>;

const asset = { version: '2.0', generator: 'test models' };
const oneNode = { scene: 0, scenes: [{ nodes: [0] }], nodes: [{ name: 'root', mesh: 0 }] };

/** A cube of edge 2 around the origin: 12 triangles, 24 vertices. `json` replaces parts of its document. */
export function boxGlb(json: GltfJson = {}): Uint8Array {
  const { document, bytes } = box();
  return glb({ ...document, ...json }, bytes);
}

/** The cube as a `.gltf` that holds its own buffer. */
export function boxGltf(json: GltfJson = {}): Uint8Array {
  const { document, bytes } = box();
  const uri = `data:application/octet-stream;base64,${Buffer.from(bytes).toString('base64')}`;
  return text({ ...document, buffers: [{ byteLength: bytes.length, uri }], ...json });
}

function box(): { document: GltfJson; bytes: Uint8Array } {
  const buffer = new BufferBuilder();
  const positions: number[] = [];
  const normals: number[] = [];
  const indices: number[] = [];
  for (const axis of [0, 1, 2]) {
    for (const side of [-1, 1]) {
      const first = positions.length / 3;
      const [u, v] = [(axis + 1) % 3, (axis + 2) % 3];
      for (const [a, b] of [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ] as const) {
        positions.push(...corner([axis, side], [u, a], [v, b]));
        normals.push(...corner([axis, side], [u, 0], [v, 0]));
      }
      const order = side > 0 ? [0, 1, 2, 0, 2, 3] : [0, 2, 1, 0, 3, 2];
      indices.push(...order.map((i) => first + i));
    }
  }
  const attributes = {
    POSITION: buffer.add('VEC3', new Float32Array(positions)),
    NORMAL: buffer.add('VEC3', new Float32Array(normals)),
  };
  const primitive = { attributes, indices: buffer.add('SCALAR', new Uint16Array(indices)), material: 0 };
  const materials = [{ name: 'painted', pbrMetallicRoughness: { baseColorFactor: [0.8, 0.1, 0.1, 1] } }];
  const document = {
    asset,
    ...oneNode,
    meshes: [{ name: 'box', primitives: [primitive] }],
    materials,
    ...buffer.json(),
  };
  return { document, bytes: buffer.bytes() };
}

function corner(...parts: readonly (readonly [number, number])[]): number[] {
  const point = [0, 0, 0];
  for (const [axis, value] of parts) point[axis] = value;
  return point;
}

export interface QuadOptions {
  readonly bufferUri?: string;
  readonly textureUri?: string;
  /** What the files are called on disk, where that differs from what their URIs say. */
  readonly bufferPath?: string;
  readonly texturePath?: string;
}

/** A textured quad in three files: `quad.gltf`, a buffer and a PNG. */
export function quadFiles(options: QuadOptions = {}): ModelFiles {
  const { bufferUri = 'quad.bin', textureUri = 'wood.png', bufferPath = bufferUri, texturePath = textureUri } = options;
  const { document, buffer } = quad();
  const images = [{ uri: textureUri }];
  return {
    'quad.gltf': text({ ...document, images, ...buffer.json(bufferUri) }),
    [bufferPath]: buffer.bytes(),
    [texturePath]: png(4, [150, 100, 50]),
  };
}

/** The textured quad in one GLB. */
export function quadGlb(image: Uint8Array = png(4, [150, 100, 50])): Uint8Array {
  const { document, buffer } = quad();
  const images = [{ name: 'wood', mimeType: 'image/png', bufferView: buffer.addBytes(image) }];
  return glb({ ...document, images, ...buffer.json() }, buffer.bytes());
}

function quad(): { document: GltfJson; buffer: BufferBuilder } {
  const buffer = new BufferBuilder();
  const attributes = {
    POSITION: buffer.add('VEC3', new Float32Array([0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0])),
    TEXCOORD_0: buffer.add('VEC2', new Float32Array([0, 1, 1, 1, 1, 0, 0, 0])),
  };
  const primitive = { attributes, indices: buffer.add('SCALAR', new Uint16Array([0, 1, 2, 0, 2, 3])), material: 0 };
  const document = {
    asset,
    ...oneNode,
    meshes: [{ name: 'quad', primitives: [primitive] }],
    materials: [{ name: 'wooden', pbrMetallicRoughness: { baseColorTexture: { index: 0 }, metallicFactor: 0 } }],
    textures: [{ source: 0 }],
  };
  return { document, buffer };
}

/** A model of points given as positions; `primitive` replaces parts of its one mesh part. */
export function pointsGlb(positions: readonly number[], primitive: GltfJson = {}, json: GltfJson = {}): Uint8Array {
  const buffer = new BufferBuilder();
  const attributes = { POSITION: buffer.add('VEC3', new Float32Array(positions)) };
  const meshes = [{ name: 'points', primitives: [{ mode: 0, attributes, ...primitive }] }];
  return glb({ asset, ...oneNode, meshes, ...buffer.json(), ...json }, buffer.bytes());
}

/** A wavy sheet of at least so many triangles, with normals and texture coordinates. */
export function sheetGlb(triangles: number): Uint8Array {
  const cells = Math.ceil(Math.sqrt(triangles / 2));
  const side = cells + 1;
  const positions = new Float32Array(side * side * 3);
  const normals = new Float32Array(side * side * 3);
  const indices = new Uint32Array(cells * cells * 6);
  for (let i = 0; i < side * side; i += 1) {
    const [x, z] = [(i % side) / cells, Math.floor(i / side) / cells];
    positions.set([x, 0.05 * Math.sin(20 * x) * Math.cos(15 * z), z], i * 3);
    normals.set([0, 1, 0], i * 3);
  }
  for (let cell = 0; cell < cells * cells; cell += 1) {
    const first = (cell % cells) + Math.floor(cell / cells) * side;
    indices.set([first, first + side, first + 1, first + 1, first + side, first + side + 1], cell * 6);
  }
  const buffer = new BufferBuilder();
  const attributes = { POSITION: buffer.add('VEC3', positions), NORMAL: buffer.add('VEC3', normals) };
  const meshes = [{ name: 'sheet', primitives: [{ attributes, indices: buffer.add('SCALAR', indices) }] }];
  return glb({ asset, ...oneNode, meshes, ...buffer.json() }, buffer.bytes());
}

/** A triangle bent by two joints, one of which an animation turns; without inverse bind matrices, as the format allows. */
export function animatedSkinGlb(): Uint8Array {
  const buffer = new BufferBuilder();
  const half = Math.SQRT1_2;
  const attributes = {
    POSITION: buffer.add('VEC3', new Float32Array([0, 0, 0, 1, 0, 0, 0, 2, 0])),
    JOINTS_0: buffer.add('VEC4', new Uint8Array([0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0])),
    WEIGHTS_0: buffer.add('VEC4', new Float32Array([0.75, 0.25, 0, 0, 0.5, 0.5, 0, 0, 1, 0, 0, 0])),
  };
  const input = buffer.add('SCALAR', new Float32Array([0, 1]));
  Object.assign(buffer.accessors[input] ?? {}, { min: [0], max: [1] });
  const output = buffer.add('VEC4', new Float32Array([0, 0, 0, 1, 0, 0, half, half]));
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0, 1] }],
    nodes: [
      { name: 'flag', mesh: 0, skin: 0 },
      { name: 'lower', children: [2] },
      { name: 'upper', translation: [0, 1, 0] },
    ],
    skins: [{ joints: [1, 2] }],
    meshes: [{ name: 'flag', primitives: [{ attributes }] }],
    animations: [
      {
        name: 'wave',
        samplers: [{ input, output }],
        channels: [{ sampler: 0, target: { node: 1, path: 'rotation' } }],
      },
    ],
  };
  return glb({ ...json, ...buffer.json() }, buffer.bytes());
}

/** The cube at the end of a chain of so many nodes. */
export function deepGlb(depth: number): Uint8Array {
  const nodes: GltfJson[] = Array.from({ length: depth - 1 }, (_, i) => ({ children: [i + 1] }));
  return boxGlb({ nodes: [...nodes, { mesh: 0 }] });
}

function text(json: GltfJson): Uint8Array {
  return Buffer.from(JSON.stringify(json));
}
