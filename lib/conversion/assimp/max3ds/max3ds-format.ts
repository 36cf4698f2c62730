import type { ModelFormat } from '../../model-formats.ts';
import { MAIN } from './max3ds-chunks.ts';
import { references3ds, scan3ds } from './max3ds-scan.ts';

/** 3D Studio's format for DOS. */
export const max3dsFormat: ModelFormat = {
  id: '3ds',
  name: 'Discreet 3DS Importer',
  extensions: ['.3ds'],
  matches: looksLike3ds,
  references: async (file) => references3ds(await scan3ds(file)),
};

/** What the main chunk begins with: a version, the editor's data, the keyframer's. */
const firstChunks: ReadonlySet<number> = new Set([0x0002, 0x3d3d, 0x3d3e, 0xb000]);

function looksLike3ds(head: Uint8Array): boolean {
  if (head.length < 12) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return view.getUint16(0, true) === MAIN && view.getUint32(2, true) >= 12 && firstChunks.has(view.getUint16(6, true));
}
