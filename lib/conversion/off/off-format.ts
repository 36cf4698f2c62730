import type { ModelFormat } from '../model-formats.ts';
import { isOff } from './off-header.ts';

/** Geomview's Object File Format, as text and binary. */
export const offFormat: ModelFormat = {
  id: 'off',
  name: 'OFF Importer',
  extensions: ['.off'],
  matches: isOff,
  references: async () => [],
};
