import { Document } from '@gltf-transform/core';
import { ConversionError } from '../conversion-error.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { dropUnplacedTextures } from '../images/unplaced-textures.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import { fileOf } from '../reading/text-encoding.ts';
import { looksLikeZip } from '../reading/zip.ts';
import { addAnimations } from './dae-animations.ts';
import { openArchive } from './dae-archive.ts';
import type { DaeDocument } from './dae-document.ts';
import type { DaeElement } from './dae-element.ts';
import { SceneBuilder, toGltfSpace } from './dae-scene.ts';
import { readDae } from './read-dae.ts';

/** COLLADA 1.4 and 1.5: what the scene shows, as a document or as an archive with its images. */
export async function importDae(request: ImportRequest): Promise<ImportedModel> {
  const isArchive = looksLikeZip(await request.file.read(0, 4096));
  const { file, readReference } = isArchive ? await openArchive(request) : request;
  const root = await readDae(file);
  const missing = await readOthers(root.home, readReference);
  const document = new Document();
  document.createBuffer();
  const asset = root.child('asset');
  const content = findContent(root);
  const top = document.createNode(content.title || 'COLLADA').setMatrix(toGltfSpace(asset));
  document.getRoot().setDefaultScene(document.createScene().addChild(top));
  const builder = new SceneBuilder(document, root.home, { readReference, limits: request.limits });
  const scene = await builder.build(content, top);
  if (document.getRoot().listMeshes().length === 0) explainNothing(missing, builder.missing);
  addAnimations(document, root, scene);
  return {
    document,
    formatVersion: root.get('version') ?? '',
    generator: asset?.child('contributor')?.child('authoring_tool')?.text ?? '',
    warnings: [
      ...warnOfDocuments(missing),
      ...warnOfContent(content),
      ...builder.warnings,
      ...dropUnplacedTextures(document),
    ],
  };
}

/** The scene that is shown, or the first; a document without any shows its nodes or its geometries. */
function findContent(root: DaeElement): DaeElement {
  const shown = root.child('scene')?.child('instance_visual_scene')?.find('url', 'visual_scene');
  const scenes = root.all('library_visual_scenes').flatMap((library) => library.all('visual_scene'));
  return shown ?? scenes[0] ?? root.child('library_nodes') ?? root.child('library_geometries') ?? root;
}

function warnOfContent({ name }: DaeElement): ConversionWarning[] {
  if (name === 'visual_scene') return [];
  return [{ code: 'scene_added', title: 'Model without a scene: everything that it holds is shown', details: {} }];
}

/** Reads the documents that one takes something from, and those that these do. Returns those that are not there. */
async function readOthers(home: DaeDocument, readReference: ImportRequest['readReference']): Promise<string[]> {
  const known = new Map<string, DaeDocument | undefined>();
  const waiting = [home];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const uri of next.uris) {
      if (!known.has(uri)) {
        const bytes = await readReference(uri);
        const other = bytes && (await readDae(fileOf(bytes))).home;
        known.set(uri, other);
        if (other !== undefined) waiting.push(other);
      }
      const other = known.get(uri);
      if (other !== undefined) next.others.set(uri, other);
    }
  }
  return [...known].filter(([, other]) => other === undefined).map(([uri]) => uri);
}

/** @throws ConversionError where what the model shows is missing */
function explainNothing(documents: readonly string[], elements: readonly string[]): void {
  if (documents.length > 0) {
    const shown = documents.slice(0, 20).join(', ');
    throw new ConversionError(
      'missing_files',
      `The model refers to files that are not there: ${shown}. Upload them with it.`,
    );
  }
  const [first] = elements;
  if (first !== undefined) throw refused(`it shows nothing but '${first.slice(0, 100)}', which is not there.`);
}

function warnOfDocuments(missing: readonly string[]): ConversionWarning[] {
  const title = 'Missing document that the model takes something from';
  return missing.map((file) => ({ code: 'file_missing', title, details: { file } }));
}
