import { BufferBuilder, type GltfJson, glb } from './gltf.ts';

const asset = { version: '2.0', generator: 'test models' };

/** An image of a texture that a model is to have. */
export interface TextureImage {
  readonly bytes: Uint8Array;
  readonly mimeType: 'image/png' | 'image/jpeg';
}

/** A ball with one texture for each of its looks, each triangle large enough to be seen. */
export function texturedBallGlb(images: Readonly<Record<'colour' | 'surface' | 'normal', TextureImage>>): Uint8Array {
  const buffer = new BufferBuilder();
  const { attributes, indices } = ball(buffer, 96);
  const views = [images.colour, images.surface, images.normal];
  const json = {
    asset,
    ...scene([{ name: 'ball', mesh: 0 }]),
    meshes: [{ name: 'ball', primitives: [{ attributes, indices, material: 0 }] }],
    materials: [
      {
        name: 'painted',
        pbrMetallicRoughness: { baseColorTexture: { index: 0 }, metallicRoughnessTexture: { index: 1 } },
        normalTexture: { index: 2 },
      },
    ],
    textures: views.map((_, source) => ({ source })),
    images: views.map(({ bytes, mimeType }) => ({ mimeType, bufferView: buffer.addBytes(bytes) })),
  };
  return glb({ ...json, ...buffer.json() }, buffer.bytes());
}

/** So many nodes in groups of ten, which show balls of a few sizes in a few dozen colours. */
export function manyNodesGlb(count: number): Uint8Array {
  const buffer = new BufferBuilder();
  const balls = [6, 8, 10, 12].map((rings) => ball(buffer, rings));
  const materials = Array.from({ length: 24 }, (_, i) => ({
    name: `paint ${i}`,
    pbrMetallicRoughness: {
      baseColorFactor: [i / 24, (i % 5) / 5, (i % 3) / 3, 1],
      roughnessFactor: 0.3 + (i % 7) / 10,
    },
  }));
  const meshes = Array.from({ length: 96 }, (_, i) => {
    const { attributes, indices } = balls[i % 4] ?? ball(buffer, 6);
    return { name: `ball ${i}`, primitives: [{ attributes, indices, material: i % 24 }] };
  });
  const groups = Math.ceil(count / 10);
  const nodes: GltfJson[] = Array.from({ length: groups }, (_, group) => ({
    name: `group ${group}`,
    translation: [(group % 40) * 8, Math.floor(group / 40) * 8, 0],
    children: Array.from({ length: 10 }, (_, i) => groups + group * 10 + i),
  }));
  for (let i = 0; i < groups * 10; i += 1) {
    const angle = i * 0.7;
    nodes.push({
      name: `thing ${i}`,
      mesh: i % 7 === 0 ? i % 96 : i % 3,
      translation: [3 * Math.cos(angle), 3 * Math.sin(angle), (i % 10) * 2],
      rotation: [0, 0, Math.sin(angle / 2), Math.cos(angle / 2)],
      scale: [0.5, 0.5, 0.5 + (i % 4) * 0.25],
    });
  }
  const json = { asset, ...scene(nodes, groups), meshes, materials };
  return glb({ ...json, ...buffer.json() }, buffer.bytes());
}

/** A bumpy tube of so many triangles around a chain of joints, which an animation with a keyframe for each of its frames bends to and fro. */
export function bendingTubeGlb(triangles: number, joints: number, frames: number): Uint8Array {
  const buffer = new BufferBuilder();
  const around = 64;
  const rows = Math.ceil(triangles / (2 * around)) + 1;
  const length = 10;
  const grid = gridOf(rows, around, (v, u) => {
    const angle = u * 2 * Math.PI;
    const [x, z] = [Math.cos(angle), Math.sin(angle)];
    const radius = 1 + 0.1 * Math.sin(6 * angle) * Math.sin(25 * v) + 0.03 * Math.sin(31 * angle + 90 * v);
    return { position: [radius * x, v * length, radius * z], normal: [x, 0, z] };
  });
  const bones = Float32Array.from({ length: grid.count * 4 }, () => 0);
  const weights = new Float32Array(grid.count * 4);
  for (let i = 0; i < grid.count; i += 1) {
    const along = ((grid.positions[3 * i + 1] ?? 0) / length) * (joints - 1);
    const first = Math.min(joints - 2, Math.floor(along));
    bones.set([first, first + 1], 4 * i);
    weights.set([1 - (along - first), along - first], 4 * i);
  }
  const attributes = {
    POSITION: buffer.add('VEC3', grid.positions),
    NORMAL: buffer.add('VEC3', grid.normals),
    JOINTS_0: buffer.add('VEC4', Uint8Array.from(bones)),
    WEIGHTS_0: buffer.add('VEC4', weights),
  };
  const indices = buffer.add('SCALAR', grid.indices);
  const step = length / (joints - 1);
  const matrices = Float32Array.from({ length: 16 * joints }, (_, i) => {
    const cell = i % 16;
    return cell === 13 ? -step * Math.floor(i / 16) : Number(cell % 5 === 0);
  });
  const inverseBindMatrices = buffer.add('MAT4', matrices);
  const times = Float32Array.from({ length: frames }, (_, i) => i / 30);
  const input = buffer.add('SCALAR', times);
  Object.assign(buffer.accessors[input] ?? {}, { min: [0], max: [times[frames - 1] ?? 0] });
  const outputs = Array.from({ length: joints }, (_, joint) => {
    const angles = Array.from(times, (time) => 0.15 * Math.sin(time * 2 + joint));
    return buffer.add(
      'VEC4',
      Float32Array.from(angles.flatMap((angle) => [0, 0, Math.sin(angle / 2), Math.cos(angle / 2)])),
    );
  });
  const chain: GltfJson[] = Array.from({ length: joints }, (_, joint) => ({
    name: `joint ${joint}`,
    translation: [0, joint === 0 ? 0 : step, 0],
    ...(joint + 1 < joints ? { children: [joint + 2] } : {}),
  }));
  const json = {
    asset,
    scene: 0,
    scenes: [{ nodes: [0, 1] }],
    nodes: [{ name: 'tube', mesh: 0, skin: 0 }, ...chain],
    skins: [{ joints: chain.map((_, joint) => joint + 1), inverseBindMatrices }],
    meshes: [{ name: 'tube', primitives: [{ attributes, indices }] }],
    animations: [
      {
        name: 'bend',
        samplers: outputs.map((output) => ({ input, output })),
        channels: outputs.map((_, joint) => ({ sampler: joint, target: { node: joint + 1, path: 'rotation' } })),
      },
    ],
  };
  return glb({ ...json, ...buffer.json() }, buffer.bytes());
}

function scene(nodes: readonly GltfJson[], roots = 1): GltfJson {
  return { scene: 0, scenes: [{ nodes: Array.from({ length: roots }, (_, i) => i) }], nodes };
}

function ball(buffer: BufferBuilder, rings: number): { attributes: GltfJson; indices: number } {
  const grid = gridOf(rings + 1, rings * 2, (v, u) => {
    const [down, around] = [v * Math.PI, u * 2 * Math.PI];
    const normal = [Math.sin(down) * Math.cos(around), Math.cos(down), Math.sin(down) * Math.sin(around)] as const;
    return { position: normal, normal };
  });
  const attributes = {
    POSITION: buffer.add('VEC3', grid.positions),
    NORMAL: buffer.add('VEC3', grid.normals),
    TEXCOORD_0: buffer.add('VEC2', grid.texcoords),
  };
  return { attributes, indices: buffer.add('SCALAR', grid.indices) };
}

type Point = readonly [number, number, number];

/** A surface over rows and columns, both ends of each included. */
function gridOf(rows: number, columns: number, at: (v: number, u: number) => { position: Point; normal: Point }) {
  const count = rows * (columns + 1);
  const positions = new Float32Array(3 * count);
  const normals = new Float32Array(3 * count);
  const texcoords = new Float32Array(2 * count);
  const indices = new Uint32Array(6 * (rows - 1) * columns);
  for (let i = 0; i < count; i += 1) {
    const [v, u] = [Math.floor(i / (columns + 1)) / (rows - 1), (i % (columns + 1)) / columns];
    const { position, normal } = at(v, u);
    positions.set(position, 3 * i);
    normals.set(normal, 3 * i);
    texcoords.set([u, v], 2 * i);
  }
  for (let cell = 0; cell < (rows - 1) * columns; cell += 1) {
    const first = Math.floor(cell / columns) * (columns + 1) + (cell % columns);
    const below = first + columns + 1;
    indices.set([first, first + 1, below, first + 1, below + 1, below], 6 * cell);
  }
  return { count, positions, normals, texcoords, indices };
}
