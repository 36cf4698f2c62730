import { posix } from 'node:path';
import type { ImportRequest } from '../importer.ts';
import { readWhole } from '../model-file.ts';
import { decodeUri } from '../reading/decode-uri.ts';
import { refused } from '../reading/refused.ts';
import { fileOf } from '../reading/text-encoding.ts';
import { scanXml } from '../reading/xml.ts';
import { checkZipLimits, looksLikeZip, readZipDirectory, unpackZipEntry } from '../reading/zip.ts';
import type { ZipEntry } from '../reading/zip-directory.ts';

/** The parts of a 3MF, whose names have no case, may have escapes as URIs have, and begin with `/` where they are referred to. */
export interface ThreemfPackage {
  /** The name of its model. */
  readonly root: string;
  /** A part by its name or by its path; undefined for one that is not there. */
  readonly read: (path: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/**
 * Opens a package, or a model that was taken out of one.
 * @throws ConversionError `input_refused`, `limit`
 */
export async function openPackage({ file, limits }: Pick<ImportRequest, 'file' | 'limits'>): Promise<ThreemfPackage> {
  if (!looksLikeZip(await file.read(0, 30)))
    return { root: ALONE, read: async (path) => (path === ALONE ? await readWhole(file) : undefined) };
  const entries = await readZipDirectory(file);
  checkZipLimits(entries, limits);
  const byName = new Map(entries.map((entry) => [partName(entry.name), entry]));
  const read = async (path: string) => {
    const name = partName(path);
    // Paths begin at the package's root; some programs write them as if they began at their model.
    const entry = byName.get(name) ?? byName.get(posix.join('3d', name));
    return entry && (await unpackZipEntry(file, entry));
  };
  return { root: await findRoot(byName, read), read };
}

const ALONE = '3d/3dmodel.model';

/** How parts are told apart. */
export function partName(path: string): string {
  const name = posix.normalize(`/${decodeUri(path)}`);
  return name.slice(1).toLowerCase();
}

/** The part that the package's relationships name as its model, or the one that is likely to be. */
async function findRoot(entries: ReadonlyMap<string, ZipEntry>, read: ThreemfPackage['read']): Promise<string> {
  const relations = await read('_rels/.rels');
  let named: string | undefined;
  if (relations !== undefined) {
    await scanXml(fileOf(relations), {
      open(name, attributes) {
        const isModel = name === 'Relationship' && attributes.get('Type')?.endsWith('/3dmodel') === true;
        if (isModel) named ??= attributes.get('Target');
      },
    });
  }
  if (named !== undefined && entries.has(partName(named))) return partName(named);
  const models = [...entries.keys()].filter((name) => name.endsWith('.model'));
  const likely = models.find((name) => name === ALONE) ?? models.find((name) => /^3d\/[^/]+$/.test(name)) ?? models[0];
  if (likely === undefined) throw refused('it is an archive without a 3D model (3D/*.model) in it.');
  return likely;
}
