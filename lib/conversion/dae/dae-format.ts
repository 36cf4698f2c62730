import type { ModelFormat } from '../model-formats.ts';
import { headText } from '../reading/text-encoding.ts';
import { looksLikeZip } from '../reading/zip.ts';
import { daeReferences } from './dae-scan.ts';

/** COLLADA as XML, and as an archive (`.zae`) that holds its images too. */
export const daeFormat: ModelFormat = {
  id: 'dae',
  name: 'Collada Importer',
  extensions: ['.dae', '.zae'],
  matches: (head) => /<(\w+:)?COLLADA[\s>]/.test(headText(head)),
  references: async (file, folder) => {
    return looksLikeZip(await file.read(0, 4096)) ? [] : await daeReferences(file, folder);
  },
};
