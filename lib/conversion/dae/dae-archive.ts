import { posix } from 'node:path';
import { checkLimit } from '../conversion-limits.ts';
import type { ImportRequest } from '../importer.ts';
import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';
import { storedUriPaths } from '../reading/stored-paths.ts';
import { fileOf } from '../reading/text-encoding.ts';
import { scanXml } from '../reading/xml.ts';
import { checkZipLimits, readZipDirectory, unpackZipEntry } from '../reading/zip.ts';
import type { ZipEntry } from '../reading/zip-directory.ts';

/**
 * The document of an archive, which is then read as if it lay in a folder with the archive's other files.
 * @throws ConversionError `input_refused`, `limit`
 */
export async function openArchive({
  file,
  limits,
}: ImportRequest): Promise<Pick<ImportRequest, 'file' | 'readReference'>> {
  const entries = await readZipDirectory(file);
  checkZipLimits(entries, limits);
  const root = await findRoot(file, entries);
  const content = fileOf(await unpackZipEntry(file, root));
  checkLimit('inputBytes', content.size, limits);
  const folder = posix.dirname(root.name);
  const byPath = new Map(entries.map((entry) => [posix.relative(folder, entry.name), entry]));
  const readReference = async (uri: string) => {
    const entry = storedUriPaths(uri).flatMap((path) => byPath.get(path) ?? [])[0];
    return entry && (await unpackZipEntry(file, entry));
  };
  return { file: content, readReference };
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
