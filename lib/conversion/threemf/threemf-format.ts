import type { ModelFormat } from '../model-formats.ts';
import { headText } from '../reading/text-encoding.ts';

/** The format of 3D printing: an archive that holds everything a model needs, or the XML of its model alone. */
export const threemfFormat: ModelFormat = {
  id: '3mf',
  name: '3mf Importer',
  extensions: ['.3mf'],
  matches: (head) => /<(\w+:)?model\s[^>]*\/3dmanufacturing\//.test(headText(head)),
  references: async () => [],
};
