import { Document, Logger, type Material, type Mesh, NodeIO } from '@gltf-transform/core';
import { EXTMeshoptCompression, KHRMeshQuantization } from '@gltf-transform/extensions';
import { meshopt } from '@gltf-transform/functions';
import { MeshoptEncoder } from 'meshoptimizer';
import { type BufferGeometry, CylinderGeometry, SphereGeometry, TorusKnotGeometry } from 'three';

export interface TestGlb {
  readonly bytes: Buffer;
  readonly triangles: number;
}

/** A small scene on a plinth, compressed with meshopt as converted assets are. */
export async function meshoptGlb(): Promise<TestGlb> {
  const document = new Document().setLogger(new Logger(Logger.Verbosity.SILENT));
  document.createBuffer();
  const scene = document.createScene();
  const parts: [BufferGeometry, Material, [number, number, number]][] = [
    [new TorusKnotGeometry(1, 0.34, 160, 24), paint(document, [0.85, 0.24, 0.1], 0.35, 0), [0, 2.1, 0]],
    [new SphereGeometry(0.45, 48, 24), paint(document, [0.95, 0.93, 0.88], 0.15, 1), [2.1, 0.75, 0.6]],
    [new CylinderGeometry(3, 3.1, 0.3, 64), paint(document, [0.1, 0.25, 0.4], 0.7, 0), [0, 0.15, 0]],
  ];
  let triangles = 0;
  for (const [geometry, material, translation] of parts) {
    const mesh = toMesh(document, geometry, material);
    triangles += (geometry.index?.count ?? 0) / 3;
    scene.addChild(document.createNode().setMesh(mesh).setTranslation(translation));
  }
  await MeshoptEncoder.ready;
  await document.transform(meshopt({ encoder: MeshoptEncoder }));
  const io = new NodeIO()
    .registerExtensions([EXTMeshoptCompression, KHRMeshQuantization])
    .registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
  return { bytes: Buffer.from(await io.writeBinary(document)), triangles };
}

/** A GLB of the right form and of that many bytes, with nothing to see. */
export function emptyGlb(bytes = 128): Buffer {
  return glbOf(JSON.stringify({ asset: { version: '2.0' }, scene: 0, scenes: [{}] }).padEnd(bytes - 20));
}

/** A GLB whose only chunk is that JSON. */
export function glbOf(json: string): Buffer {
  const bytes = 20 + Buffer.byteLength(json);
  const glb = Buffer.alloc(bytes);
  glb.write('glTF', 'latin1');
  for (const [index, value] of [2, bytes, bytes - 20].entries()) glb.writeUInt32LE(value, 4 + index * 4);
  glb.write('JSON', 16, 'latin1');
  glb.write(json, 20, 'latin1');
  return glb;
}

function paint(document: Document, color: [number, number, number], roughness: number, metallic: number): Material {
  return document
    .createMaterial()
    .setBaseColorFactor([...color, 1])
    .setRoughnessFactor(roughness)
    .setMetallicFactor(metallic);
}

function toMesh(document: Document, geometry: BufferGeometry, material: Material): Mesh {
  const accessor = (type: 'VEC3' | 'SCALAR', array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) =>
    document
      .createAccessor()
      .setType(type)
      .setArray(array)
      .setBuffer(document.getRoot().listBuffers()[0] ?? null);
  const floats = (name: string) => Float32Array.from(geometry.getAttribute(name).array);
  const primitive = document
    .createPrimitive()
    .setMaterial(material)
    .setAttribute('POSITION', accessor('VEC3', floats('position')))
    .setAttribute('NORMAL', accessor('VEC3', floats('normal')))
    .setIndices(accessor('SCALAR', Uint32Array.from(geometry.index?.array ?? [])));
  return document.createMesh().addPrimitive(primitive);
}
