/** Formats that are often tried and cannot be read, and what to do with them. */
const foreign: readonly { readonly name: string; readonly begins: RegExp; readonly advice: string }[] = [
  {
    name: 'an E57 point cloud',
    begins: /^ASTM-E57/,
    advice: 'Export it as LAS or PLY, for instance with CloudCompare',
  },
  { name: 'a Blender file', begins: /^BLENDER/, advice: 'Export it from Blender as glTF' },
  { name: 'a STEP or IFC file', begins: /^ISO-10303-21/, advice: 'Export it from its program as glTF or OBJ' },
  {
    name: 'a pointer to a file in Git LFS',
    begins: /^version https:\/\/git-lfs/,
    advice: 'Fetch the model itself with git lfs pull',
  },
];

/** Extensions of formats that are told and refused, so that whoever brings one hears of it. */
export const foreignExtensions: readonly string[] = ['.e57'];

/** What a file is that is known and cannot be read, and what to do with it; undefined for all others. */
export function explainForeign(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.subarray(0, 32)).toString('latin1');
  const found = foreign.find(({ begins }) => begins.test(text));
  return found && `The model file is ${found.name}, which cannot be read. ${found.advice}.`;
}
