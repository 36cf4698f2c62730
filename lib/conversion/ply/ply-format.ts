import type { ModelFormat } from '../model-formats.ts';
import { storedPaths } from '../reading/stored-paths.ts';
import { isPly, readPlyHeader, textureFiles } from './ply-header.ts';

/** The Polygon File Format: meshes and point clouds, as text and binary. */
export const plyFormat: ModelFormat = {
  id: 'ply',
  name: 'Stanford Polygon Library (PLY) Importer',
  extensions: ['.ply'],
  matches: isPly,
  references: async (file) => {
    const { comments } = await readPlyHeader(file);
    return textureFiles(comments).map((uri) => ({ kind: 'texture', uri, paths: storedPaths(uri) }));
  },
};
