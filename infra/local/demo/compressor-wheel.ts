import { type Document, Document as GltfDocument, type Material, type Mesh, NodeIO } from '@gltf-transform/core';
import { BufferGeometry, CylinderGeometry, Float32BufferAttribute, LatheGeometry, TorusGeometry, Vector2 } from 'three';

const MAIN_BLADES = 9;
const BOLTS = 12;

/**
 * The model of the demo: the compressor wheel of a turbocharger, as a CAD export would have it: every blade and bolt a mesh of its own,
 * nothing shared, nothing compressed. Lengths are metres.
 * @returns the bytes of a GLB
 */
export async function compressorWheel(): Promise<Uint8Array> {
  const document = new GltfDocument();
  document.createBuffer();
  const scene = document.createScene('Compressor wheel');
  const aluminium = metal(document, 'Aluminium', [0.78, 0.8, 0.83], 0.28);
  const steel = metal(document, 'Steel', [0.42, 0.44, 0.48], 0.4);
  const brass = metal(document, 'Brass', [0.83, 0.66, 0.32], 0.3);

  scene.addChild(node(document, 'Hub', hub(), aluminium));
  for (let index = 0; index < MAIN_BLADES; index += 1) {
    const turn = (index / MAIN_BLADES) * 2 * Math.PI;
    scene.addChild(node(document, `Blade ${index + 1}`, blade(0), aluminium).setRotation(aboutY(turn)));
    const between = turn + Math.PI / MAIN_BLADES;
    scene.addChild(node(document, `Splitter ${index + 1}`, blade(0.42), aluminium).setRotation(aboutY(between)));
  }
  for (let index = 0; index < BOLTS; index += 1) {
    const turn = (index / BOLTS) * 2 * Math.PI;
    const bolt = node(document, `Bolt ${index + 1}`, new CylinderGeometry(0.0016, 0.0016, 0.004, 48, 8), brass);
    scene.addChild(bolt.setTranslation([0.034 * Math.cos(turn), -0.0035, 0.034 * Math.sin(turn)]));
  }
  const seal = node(document, 'Seal ring', new TorusGeometry(0.0405, 0.0009, 32, 256), steel);
  scene.addChild(seal.setRotation([Math.SQRT1_2, 0, 0, Math.SQRT1_2]).setTranslation([0, -0.002, 0]));
  const nut = node(document, 'Shaft nut', new CylinderGeometry(0.0052, 0.0052, 0.006, 6, 12), steel);
  scene.addChild(nut.setTranslation([0, 0.0355, 0]));
  return new NodeIO().writeBinary(document);
}

function hub(): BufferGeometry {
  const profile: Vector2[] = [new Vector2(0, -0.003), new Vector2(0.042, -0.003), new Vector2(0.042, -0.001)];
  for (let step = 0; step <= 96; step += 1) profile.push(new Vector2(...hubAt(1 - step / 96)));
  profile.push(new Vector2(0, 0.034));
  return new LatheGeometry(profile, 192);
}

/** The hub's curve from its nose (0) to its rim (1), as radius and height. */
function hubAt(along: number): [number, number] {
  const angle = (along * Math.PI) / 2;
  return [0.008 + 0.033 * (1 - Math.cos(angle)), 0.033 * (1 - Math.sin(angle))];
}

/** One blade from `from` (0 at the nose) to the rim: it leans against the turn at the inlet and runs out straight. */
function blade(from: number): BufferGeometry {
  const along = 64;
  const across = 24;
  const positions: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i <= along; i += 1) {
    const u = from + (1 - from) * (i / along);
    const [hubRadius, hubHeight] = hubAt(u);
    for (let j = 0; j <= across; j += 1) {
      const v = j / across;
      const reach = 0.017 * (1 - u) + 0.0035 * u;
      const lean = Math.sin(((1 - u) * Math.PI) / 2);
      const radius = hubRadius - 0.0004 + reach * v * lean;
      const height = hubHeight + reach * v * (1 - lean) - 0.0004;
      const twist = -0.9 * (1 - u) ** 2 - 0.12 * v * (1 - u);
      positions.push(radius * Math.cos(twist), height, radius * Math.sin(twist));
    }
  }
  const row = across + 1;
  for (let i = 0; i < along; i += 1) {
    for (let j = 0; j < across; j += 1) {
      const corner = i * row + j;
      indices.push(corner, corner + 1, corner + row, corner + 1, corner + row + 1, corner + row);
    }
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute('position', new Float32BufferAttribute(positions, 3));
  geometry.setIndex(indices);
  geometry.computeVertexNormals();
  return geometry;
}

function node(document: Document, name: string, geometry: BufferGeometry, material: Material) {
  return document.createNode(name).setMesh(mesh(document, name, geometry, material));
}

function mesh(document: Document, name: string, geometry: BufferGeometry, material: Material): Mesh {
  const attribute = (key: string) => Float32Array.from(geometry.getAttribute(key).array);
  const accessor = (array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, type: 'VEC3' | 'SCALAR') =>
    document.createAccessor().setType(type).setArray(array);
  const primitive = document
    .createPrimitive()
    .setAttribute('POSITION', accessor(attribute('position'), 'VEC3'))
    .setAttribute('NORMAL', accessor(attribute('normal'), 'VEC3'))
    .setIndices(accessor(Uint32Array.from(geometry.getIndex()?.array ?? []), 'SCALAR'))
    .setMaterial(material);
  return document.createMesh(name).addPrimitive(primitive);
}

function metal(document: Document, name: string, [red, green, blue]: [number, number, number], roughness: number) {
  return document
    .createMaterial(name)
    .setBaseColorFactor([red, green, blue, 1])
    .setMetallicFactor(1)
    .setRoughnessFactor(roughness)
    .setDoubleSided(true);
}

function aboutY(angle: number): [number, number, number, number] {
  return [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];
}
