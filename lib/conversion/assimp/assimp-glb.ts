import { GLB_BUFFER, type GLTF } from '@gltf-transform/core';
import { parseAssimpJson } from './assimp-json.ts';

interface AssimpGlb {
  readonly json: GLTF.IGLTF;
  readonly resources: Record<string, Uint8Array<ArrayBuffer>>;
  /** Of each image; undefined where it lies in the buffer. */
  readonly imageUris: readonly (string | undefined)[];
}

const [HEADER_BYTES, CHUNK_HEADER_BYTES] = [12, 8];

/** Takes a GLB of the library apart, and its images' URIs out: none of them is to be followed. */
export function parseAssimpGlb(glb: Uint8Array<ArrayBuffer>): AssimpGlb {
  const view = new DataView(glb.buffer, glb.byteOffset, glb.byteLength);
  const textStart = HEADER_BYTES + CHUNK_HEADER_BYTES;
  const textEnd = textStart + view.getUint32(HEADER_BYTES, true);
  const json = parseAssimpJson<GLTF.IGLTF>(glb.subarray(textStart, textEnd));
  const binary = glb.slice(Math.min(glb.length, textEnd + CHUNK_HEADER_BYTES));
  const [buffer] = json.buffers ?? [];
  if (buffer !== undefined) buffer.byteLength = Math.min(buffer.byteLength, binary.length);
  const resources: AssimpGlb['resources'] = { [GLB_BUFFER]: binary };
  const imageUris = (json.images ?? []).map((image, i) => {
    const { uri } = image;
    if (uri === undefined || image.bufferView !== undefined) return undefined;
    image.uri = `image-${i}`;
    resources[image.uri] = new Uint8Array(0);
    return uri;
  });
  return { json: withoutGaps(json), resources, imageUris };
}

/** What the library leaves out of a scene without geometry, and parts without positions, that no reader takes. */
function withoutGaps(json: GLTF.IGLTF): GLTF.IGLTF {
  for (const mesh of json.meshes ?? []) {
    mesh.primitives = (mesh.primitives ?? []).filter(({ attributes }) => attributes?.['POSITION'] !== undefined);
  }
  return json;
}
