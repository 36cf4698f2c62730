import type { ModelFormat } from '../model-formats.ts';
import { isLas } from './las-header.ts';

/** The point clouds of laser scans, compressed (LAZ) or not. */
export const lasFormat: ModelFormat = {
  id: 'las',
  name: 'LAS Importer',
  extensions: ['.las', '.laz'],
  matches: isLas,
  references: async () => [],
};
