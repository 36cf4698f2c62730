import type { Document } from '@gltf-transform/core';
import { expect } from 'vitest';
import { unpack } from '../../support/models/index.ts';
import { convertModel } from './convert-model.ts';

/** The asset under both sets of defaults, each with what it is warned of. */
export async function mended(model: Parameters<typeof convertModel>[0]) {
  const found = [];
  for (const settings of [null, {}]) {
    const { outcome, asset } = await convertModel(model, settings);
    if (outcome.status === 'failed' || asset === undefined) expect.fail(JSON.stringify(outcome));
    expect(outcome.validation.numErrors).toBe(0);
    const { boundingBox } = outcome.info.outputStatistics;
    found.push({ document: await unpack(asset), codes: outcome.warnings.map(({ code }) => code), boundingBox });
  }
  return found;
}

/** The first mesh part. */
export function partOf(document: Document) {
  const [part] = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
  if (part === undefined) expect.fail('There is no mesh part.');
  return part;
}
