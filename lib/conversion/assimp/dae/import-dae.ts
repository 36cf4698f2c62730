import { posix } from 'node:path';
import type { Document } from '@gltf-transform/core';
import { checkLimit } from '../../conversion-limits.ts';
import type { ImportedModel, ImportRequest } from '../../importer.ts';
import { type ModelFile, readWhole } from '../../model-file.ts';
import { refused } from '../../reading/refused.ts';
import { storedUriPaths } from '../../reading/stored-paths.ts';
import { fileOf, inUtf8 } from '../../reading/text-encoding.ts';
import { scanXml } from '../../reading/xml.ts';
import { checkZipLimits, readZipDirectory, unpackZipEntry, type ZipEntry } from '../../reading/zip.ts';
import { type ReadImage, readByReferences } from '../assimp-textures.ts';
import { importThroughAssimp } from '../import-assimp.ts';
import { isDaeArchive } from './dae-format.ts';
import { daeReferences, scanDae } from './dae-scan.ts';

/** COLLADA 1.4 and 1.5. The library turns its axes and unit into glTF's. */
export async function importDae(request: ImportRequest): Promise<ImportedModel> {
  const { file, readReference, limits } = request;
  if (isDaeArchive(await file.read(0, 4096))) return await importArchive(request);
  const scan = await scanDae(file);
  return await importDocument(file, readByReferences(daeReferences(scan), readReference), limits, scan);
}

async function importDocument(
  file: ModelFile,
  readImage: ReadImage,
  limits: ImportRequest['limits'],
  scan: Awaited<ReturnType<typeof scanDae>>,
): Promise<ImportedModel> {
  const bytes = await readWhole(await inUtf8(file));
  const { document, warnings } = await importThroughAssimp({
    input: { name: 'model.dae', bytes },
    mended: () => ({ name: 'model.dae', bytes: mend(bytes) }),
    what: `COLLADA ${scan.version}`,
    readImage,
    limits,
  });
  if (!scan.saysOpaque) turnOpacity(document);
  return { document, formatVersion: scan.version, generator: scan.generator, warnings };
}

/**
 * In COLLADA a transparency of 1 is opaque. Some programs, 3ds Max among them, mean 0: their models have something invisible and nothing
 * opaque.
 */
function turnOpacity(document: Document): void {
  const materials = document.getRoot().listMaterials();
  const alphas = materials.map((material) => material.getBaseColorFactor()[3]);
  if (!alphas.includes(0) || alphas.includes(1)) return;
  for (const material of materials) {
    const [red, green, blue, alpha] = material.getBaseColorFactor();
    material.setBaseColorFactor([red, green, blue, 1 - alpha]);
    if (alpha === 0) material.setAlphaMode('OPAQUE');
  }
}

/** The library takes no blanks before the first number of an element, and no animation that has the name of a node. */
function mend(bytes: Uint8Array): Uint8Array {
  let animations = 0;
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/>\s+(?=[-+.\d])/g, '>')
    .replace(/<animation\b[^>]*>/g, (tag) => {
      animations += 1;
      return tag.replace(/(\s(?:name|id)\s*=\s*["'])([^"']*)/g, `$1$2 (animation ${animations})`);
    });
  return new TextEncoder().encode(text);
}

async function importArchive({ file, limits }: ImportRequest): Promise<ImportedModel> {
  const entries = await readZipDirectory(file);
  checkZipLimits(entries, limits);
  const root = await findRoot(file, entries);
  const content = fileOf(await unpackZipEntry(file, root));
  checkLimit('inputBytes', content.size, limits);
  const folder = posix.dirname(root.name);
  const byPath = new Map(entries.map((entry) => [posix.relative(folder, entry.name), entry]));
  const readImage = async (uri: string) => {
    const entry = storedUriPaths(uri).flatMap((path) => byPath.get(path) ?? [])[0];
    return entry && (await unpackZipEntry(file, entry));
  };
  return await importDocument(content, readImage, limits, await scanDae(content));
}

/** The document that the manifest names, or the only one, or the first. */
async function findRoot(file: ModelFile, entries: readonly ZipEntry[]): Promise<ZipEntry> {
  const manifest = entries.find(({ name }) => name.toLowerCase() === 'manifest.xml');
  const named = manifest && (await readManifest(fileOf(await unpackZipEntry(file, manifest))));
  const documents = entries.filter(({ name }) => /\.dae$/i.test(name));
  const wanted = named === undefined ? undefined : storedUriPaths(named)[0];
  const root = documents.find(({ name }) => name === wanted) ?? documents[0];
  if (root === undefined) {
    throw refused(
      'it is an archive without a COLLADA document (.dae) in it. Unpack it and upload the model with its files.',
    );
  }
  return root;
}

async function readManifest(file: ModelFile): Promise<string | undefined> {
  let isRoot = false;
  let root = '';
  await scanXml(file, {
    open: (name) => {
      isRoot = name === 'dae_root';
    },
    text: (text) => {
      if (isRoot) root += text.slice(0, 4096);
    },
    close: () => {
      isRoot = false;
    },
  });
  return root.trim() || undefined;
}
