import { type Document, Logger, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS, KHRMaterialsIOR, KHRMaterialsVolume } from '@gltf-transform/extensions';
import { refused } from '../reading/refused.ts';
import { parseAssimpGlb } from './assimp-glb.ts';

/** A document as the library wrote it, and what it says of its images. */
export interface AssimpDocument {
  readonly document: Document;
  /** Of each texture of the document, in their order; undefined where the image lies in the document. */
  readonly textureUris: readonly (string | undefined)[];
}

/** Reads what the library wrote. Images that are files of their own are left for later. */
export async function readAssimpDocument(glb: Uint8Array<ArrayBuffer>): Promise<AssimpDocument> {
  const { json, resources, imageUris } = parseAssimpGlb(glb);
  const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(ALL_EXTENSIONS);
  try {
    const document = await io.readJSON({ json, resources });
    dropGuesses(document);
    return { document, textureUris: imageUris };
  } catch (error) {
    throw refused(`its content contradicts itself (${error instanceof Error ? error.message : String(error)}).`);
  }
}

/** The library writes an index of refraction of 1, as of air, for materials that say nothing of it, and volumes that none of them has. */
function dropGuesses(document: Document): void {
  for (const extension of document.getRoot().listExtensionsUsed()) {
    if (extension instanceof KHRMaterialsIOR || extension instanceof KHRMaterialsVolume) extension.dispose();
  }
}
