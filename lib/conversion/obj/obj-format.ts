import type { ModelFile } from '../model-file.ts';
import type { ModelFormat, WrittenReference } from '../model-formats.ts';
import type { ModelFolder } from '../model-references.ts';
import { LineFile } from '../reading/line-file.ts';
import { storedPaths } from '../reading/stored-paths.ts';
import { fileOf, headText, inUtf8 } from '../reading/text-encoding.ts';
import { mapsOf, readMtl } from './read-mtl.ts';

/** Wavefront OBJ: a text of lines that each begin with a word of its own. */
export const objFormat: ModelFormat = {
  id: 'obj',
  name: 'Wavefront Object Importer',
  extensions: ['.obj'],
  matches: (head) => looksLikeObj(headText(head)),
  references: objReferences,
};

/** Words of elements that nearly every file has, and those that may stand beside them. */
const common = /^(v|vt|vn|f|o|g|usemtl|mtllib)$/;
const known =
  /^(v|vt|vn|vp|vc|vw|f|fo|l|p|o|g|s|t|mg|usemtl|mtllib|usemap|maplib|cstype|deg|bmat|step|curv|curv2|surf|parm|trim|hole|scrv|sp|end|con|bevel|c_interp|d_interp|lod|shadow_obj|trace_obj|ctech|stech|call|csh)$/;
/** A line of a position, which no other format has. */
const position = /^v(\s+[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?){3,}\s*$/i;

/** Programs put lines of their own between those of the format, so that not all of them need to be known. */
function looksLikeObj(text: string): boolean {
  if (text.includes('\0')) return false;
  const lines = text.split(/\r\n|[\r\n]/);
  // The last line may be cut off, unless there is no other.
  if (lines.length > 1 && text.length > 2000) lines.pop();
  const told = lines
    .filter((_, i) => !lines[i - 1]?.endsWith('\\'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const words = told.map((line) => line.split(/\s+/)[0] ?? '');
  const strange = words.filter((word) => !known.test(word)).length;
  if (strange === 0) return words.some((word) => common.test(word));
  return 2 * strange < words.length && told.some((line) => position.test(line));
}

/** As much of a model as is searched for the names of its materials' files, in bytes. */
const SEARCHED = 2 ** 24;
const MOST_LIBRARIES = 100;

/**
 * What follows `mtllib`, of every line that begins with it: one name, or several with blanks between them. Nothing tells which, but what is
 * there.
 */
export async function libraryLines(file: ModelFile): Promise<string[]> {
  const text = await inUtf8(file);
  const start = { size: Math.min(text.size, SEARCHED), read: text.read };
  const lines = new LineFile(start, { comments: '#' });
  const found = new Set<string>();
  while (lines.advance() || (await lines.more())) {
    if (lines.word() === 'mtllib') found.add(lines.restOfLine());
  }
  return [...found].filter((rest) => rest !== '').slice(0, MOST_LIBRARIES);
}

/** The names that such a line may mean, in two ways to read it. Some programs put a backslash before a blank within a name, or quotes around it. */
export function libraryNames(rest: string): readonly [whole: readonly string[], words: readonly string[]] {
  const words = rest.split(/(?<!\\)\s+/).map(plainName);
  return [[plainName(rest)], words.length > 1 ? words.slice(0, MOST_LIBRARIES) : []];
}

function plainName(name: string): string {
  return name.replace(/^"(.*)"$/, '$1').replaceAll('\\ ', ' ');
}

async function objReferences(file: ModelFile, folder: ModelFolder): Promise<WrittenReference[]> {
  const lines = await libraryLines(file);
  return (await Promise.all(lines.map((rest) => librariesOf(rest, folder)))).flat();
}

async function librariesOf(rest: string, folder: ModelFolder): Promise<WrittenReference[]> {
  for (const names of libraryNames(rest)) {
    const references = names.map((uri) => ({ kind: 'materials' as const, uri, paths: storedPaths(uri) }));
    const found = await Promise.all(references.map(async ({ paths }) => await findFirst(paths, folder)));
    const textures = await Promise.all(found.flatMap((file) => file ?? []).map(texturesOf));
    if (textures.length > 0) return [...references, ...textures.flat()];
  }
  return [{ kind: 'materials', uri: rest, paths: storedPaths(rest) }];
}

async function findFirst(
  paths: readonly string[],
  folder: ModelFolder,
): Promise<{ readonly file: ModelFile; readonly path: string } | undefined> {
  for (const path of paths) {
    const file = await folder.find(path);
    if (file !== undefined) return { file, path };
  }
  return undefined;
}

/** Larger files of materials are not of this kind. */
const LARGEST_MTL = 2 ** 26;

/** Images lie beside the materials that name them, or beside the model. */
async function texturesOf({ file, path }: { file: ModelFile; path: string }): Promise<WrittenReference[]> {
  if (file.size > LARGEST_MTL) return [];
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const bytes = await file.read(0, file.size);
  const materials = await readMtl(fileOf(bytes));
  return [...materials.values()].flatMap(mapsOf).map((uri) => {
    const paths = storedPaths(uri);
    const beside = folder === '' ? [] : paths.map((end) => `${folder}${end}`);
    return { kind: 'texture', uri, paths: [...new Set([...beside, ...paths])] };
  });
}
