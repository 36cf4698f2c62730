import { isOpenPackage } from '../assimp/dae/dae-format.ts';
import type { ModelFormat } from '../model-formats.ts';

/** The format of 3D printing: an archive that holds everything a model needs. */
export const threemfFormat: ModelFormat = {
  id: '3mf',
  name: '3mf Importer',
  extensions: ['.3mf'],
  matches: isOpenPackage,
  references: async () => [],
};
