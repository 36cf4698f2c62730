import type { ModelFile } from '../model-file.ts';
import type { WrittenReference } from '../model-formats.ts';
import type { ModelFolder } from '../model-references.ts';
import { storedUriPaths } from '../reading/stored-paths.ts';
import { scanXml, type XmlAttributes } from '../reading/xml.ts';

/** What a COLLADA document says of files beside it, as it is written. */
interface DaeScan {
  readonly images: ReadonlySet<string>;
  readonly documents: ReadonlySet<string>;
}

/** Elements that may take something from another document. */
const takers: ReadonlySet<string> = new Set([
  ...['instance_geometry', 'instance_controller', 'instance_node', 'instance_visual_scene', 'instance_material'],
  ...['instance_effect', 'instance_image', 'instance_animation', 'skin', 'morph'],
]);
const IMAGE_FILE = /\.(png|jpe?g|tga|bmp|dib|gif|tiff?|webp|avif|ktx2|dds|psd|psb)$/i;
const LONGEST_URI = 4096;
/** Documents that refer to each other. */
const MOST_DOCUMENTS = 1000;

/**
 * Everything that a document and those that it refers to name.
 * @throws ConversionError `input_refused` for an XML that is cut off, not well-formed or declares entities
 */
export async function daeReferences(file: ModelFile, folder: ModelFolder): Promise<WrittenReference[]> {
  const references: WrittenReference[] = [];
  const known = new Set<string>();
  const waiting: ModelFile[] = [file];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { images, documents } = await scanDae(next);
    for (const uri of images) references.push({ kind: 'texture', uri, paths: storedUriPaths(uri) });
    for (const uri of documents) {
      if (known.has(uri) || known.size === MOST_DOCUMENTS) continue;
      known.add(uri);
      const paths = storedUriPaths(uri);
      references.push({ kind: 'materials', uri, paths });
      const found = await Promise.all(paths.map((path) => folder.find(path)));
      const other = found.find((there) => there !== undefined);
      if (other !== undefined) waiting.push(other);
    }
  }
  return references;
}

async function scanDae(file: ModelFile): Promise<DaeScan> {
  const open: string[] = [];
  const images = new Set<string>();
  const documents = new Set<string>();
  const texts = new Set<string>();
  const names = new Set<string>();
  let text = '';
  await scanXml(file, {
    open(name, attributes) {
      const document = documentOf(name, attributes);
      if (document !== undefined) documents.add(document);
      if (name === 'texture') texts.add(attributes.get('texture') ?? '');
      if (name === 'image') names.add(attributes.get('id') ?? '');
      if (name === 'newparam') names.add(attributes.get('sid') ?? '');
      open.push(name);
      text = '';
    },
    close(name) {
      open.pop();
      const uri = text.trim();
      text = '';
      if ((name !== 'init_from' && name !== 'ref') || uri === '') return;
      const isImage = open.at(-1) === 'image' || (open.at(-1) === 'init_from' && open.at(-2) === 'image');
      if (isImage) images.add(uri);
      else texts.add(uri);
    },
    text(more) {
      if (text.length < LONGEST_URI && open.length > 0) text += more.slice(0, LONGEST_URI);
    },
  });
  // Surfaces and textures name images. Some programs name files there.
  for (const uri of texts) if (IMAGE_FILE.test(uri) && !names.has(uri)) images.add(uri);
  return { images, documents };
}

/** The document that an element takes something from, as it is written; undefined where it is its own. */
export function documentOf(name: string, attributes: XmlAttributes): string | undefined {
  if (!takers.has(name)) return undefined;
  for (const attribute of ['url', 'target', 'source']) {
    const uri = attributes.get(attribute);
    const hash = uri?.indexOf('#') ?? -1;
    if (uri !== undefined && hash > 0) return uri.slice(0, hash);
  }
  return undefined;
}
