import type { ModelFile } from '../../model-file.ts';
import type { WrittenReference } from '../../model-formats.ts';
import { refused } from '../../reading/refused.ts';
import { storedUriPaths } from '../../reading/stored-paths.ts';
import { scanXml } from '../../reading/xml.ts';

/** What a COLLADA document says of itself and of files beside it. */
export interface DaeScan {
  readonly version: string;
  readonly generator: string;
  /** Of its images, as they are written. */
  readonly imageUris: readonly string[];
  /** Whether a material says which number stands for opaque. */
  readonly saysOpaque: boolean;
}

const LONGEST_URI = 4096;

/** @throws ConversionError `input_refused` for an XML that is cut off, not well-formed or declares entities */
export async function scanDae(file: ModelFile): Promise<DaeScan> {
  const open: string[] = [];
  const imageUris: string[] = [];
  let version = '';
  let generator = '';
  let text = '';
  let saysOpaque = false;
  await scanXml(file, {
    open(name, attributes) {
      if (open.length === 0) {
        if (name !== 'COLLADA') throw refused(`it is an XML, but no COLLADA document: it begins with <${name}>.`);
        version = attributes.get('version') ?? '';
      }
      if (name === 'transparent' && attributes.get('opaque') !== undefined) saysOpaque = true;
      open.push(name);
      text = '';
    },
    close(name) {
      open.pop();
      const uri = text.trim();
      if (name === 'authoring_tool' && generator === '') generator = uri;
      // Surfaces of effects have elements of the same name, which name images.
      const isImage = open.at(-1) === 'image' || (open.at(-1) === 'init_from' && open.at(-2) === 'image');
      if (isImage && (name === 'init_from' || name === 'ref') && uri !== '') imageUris.push(uri);
      text = '';
    },
    text(more) {
      if (text.length < LONGEST_URI && open.length > 0) text += more.slice(0, LONGEST_URI);
    },
  });
  return { version, generator, imageUris, saysOpaque };
}

export function daeReferences({ imageUris }: DaeScan): WrittenReference[] {
  return imageUris
    .filter((uri) => !/^data:/i.test(uri))
    .map((uri) => ({ kind: 'texture', uri, paths: storedUriPaths(uri) }));
}
