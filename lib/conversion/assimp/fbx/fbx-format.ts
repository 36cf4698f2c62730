import { ConversionError } from '../../conversion-error.ts';
import type { ModelFile } from '../../model-file.ts';
import type { ModelFormat, WrittenReference } from '../../model-formats.ts';
import { storedPaths } from '../../reading/stored-paths.ts';
import { headText, inUtf8 } from '../../reading/text-encoding.ts';
import { readBinaryFbx } from './fbx-binary.ts';
import { type FbxFile, type FbxNode, textOf } from './fbx-node.ts';
import { readTextFbx } from './fbx-text.ts';

const SIGNATURE = 'Kaydara FBX Binary  \0';

/** Autodesk's FBX, binary and as text. */
export const fbxFormat: ModelFormat = {
  id: 'fbx',
  name: 'Autodesk FBX Importer',
  extensions: ['.fbx'],
  matches: (head) => isBinary(head) || looksLikeText(head),
  references: async (file) => fbxReferences(await readFbx(file)),
};

/** The first version that the importer reads: FBX 2011. */
const OLDEST_VERSION = 7100;

/**
 * What an FBX says of itself, its materials and textures.
 * @throws ConversionError `input_refused` for a file that is damaged or too old
 */
export async function readFbx(file: ModelFile): Promise<FbxFile> {
  const fbx = isBinary(await file.read(0, SIGNATURE.length))
    ? await readBinaryFbx(file)
    : await readTextFbx(await inUtf8(file));
  if (fbx.version >= OLDEST_VERSION) return fbx;
  const message = `The model is an FBX of version ${fbx.version}, older than FBX 2011 (${OLDEST_VERSION}). Export it as FBX 2011 or newer.`;
  throw new ConversionError('input_refused', message);
}

/** The images beside a model; those within it are none of them. */
export function fbxReferences({ nodes }: FbxFile): WrittenReference[] {
  const embedded = new Set(
    nodes
      .filter(
        (node) =>
          node.name === 'Video' && node.children.some(({ name, values }) => name === 'Content' && hasData(values)),
      )
      .flatMap((node) => storedNames(node)),
  );
  return nodes
    .filter(({ name }) => name === 'Texture')
    .map((node) => storedNames(node))
    .filter((names) => names.length > 0 && !names.some((name) => embedded.has(name)))
    .map((names) => ({
      kind: 'texture' as const,
      uri: names[0] ?? '',
      paths: [...new Set(names.flatMap((name) => storedPaths(name)))],
    }));
}

/** The name under which a texture's image is asked for; empty without one. */
export function referenceOf(texture: FbxNode): string {
  return storedNames(texture)[0] ?? '';
}

/** As an object stores where its image lies: relative to the model, and on the machine that it was made on. */
export function storedNames(node: FbxNode): string[] {
  const names = ['RelativeFilename', 'FileName', 'Filename'].map((name) => textOf(node, name));
  return [...new Set(names)].filter((name) => name !== '');
}

function hasData(values: FbxFile['nodes'][number]['values']): boolean {
  return values.some((value) => (typeof value === 'object' ? value.bytes > 0 : value !== ''));
}

function isBinary(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(0, SIGNATURE.length)).toString('latin1').startsWith('Kaydara FBX Binary');
}

function looksLikeText(head: Uint8Array): boolean {
  const text = headText(head);
  return /^\s*;\s*FBX\s+\d/.test(text) || /^\s*(;[^\n]*\s+)*FBXHeaderExtension\s*:/.test(text);
}
