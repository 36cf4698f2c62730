const HEADER_BYTES = 80;

/** Why a KTX2 is no texture that glTF may have (KHR_texture_basisu): a picture of two dimensions in Basis Universal; undefined where it is one. */
export function ktx2Fault(image: Uint8Array): string | undefined {
  if (image.length < HEADER_BYTES) return 'It is a KTX2 that was cut off; save it again.';
  const header = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const format = header.getUint32(12, true);
  const depth = header.getUint32(28, true);
  const layers = header.getUint32(32, true);
  const faces = header.getUint32(36, true);
  if (faces > 1) return 'It is a KTX2 cube map of six images, which is not read; save it as PNG.';
  if (depth > 0) return 'It is a KTX2 volume of many layers, which is not read; save it as PNG.';
  if (layers > 1) return 'It is a KTX2 array of many images, which is not read; save it as PNG.';
  return format === 0 ? undefined : 'It is a KTX2 without Basis Universal, which is not read; save it as PNG.';
}
