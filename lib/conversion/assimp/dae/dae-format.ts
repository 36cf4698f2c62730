import type { ModelFormat } from '../../model-formats.ts';
import { headText } from '../../reading/text-encoding.ts';
import { looksLikeZip } from '../../reading/zip.ts';
import { daeReferences, scanDae } from './dae-scan.ts';

/** COLLADA as XML, and as an archive (`.zae`) that holds its images too. */
export const daeFormat: ModelFormat = {
  id: 'dae',
  name: 'Collada Importer',
  extensions: ['.dae', '.zae'],
  matches: (head) => isDaeArchive(head) || /<(\w+:)?COLLADA[\s>]/.test(headText(head)),
  references: async (file) => {
    if (isDaeArchive(await file.read(0, 4096))) return [];
    return daeReferences(await scanDae(file));
  },
};

/** What such an archive begins with is not laid down: a document, its manifest or an image. */
export function isDaeArchive(head: Uint8Array): boolean {
  return looksLikeZip(head) && !isOpenPackage(head);
}

/** Where the name of a file stands in its header, after the header's signature. */
const NAME_AT = 26;

/** True for an archive of the kind that 3MF is one of, and office documents are others. */
export function isOpenPackage(head: Uint8Array): boolean {
  if (!looksLikeZip(head)) return false;
  const files = Buffer.from(head).toString('latin1').split('PK\u0003\u0004');
  return files.some((file) =>
    /^(\[Content_Types\]\.xml|_rels\/|\/?3D\/|Metadata\/|Thumbnails\/)/i.test(file.slice(NAME_AT)),
  );
}
