import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, vi } from 'vitest';
import type { ConversionRecord } from '#lib/records';
import { nextConversionStep, runConversion } from '#lib/rendering';
import { Blobs } from '#lib/storage';
import type { ModelFiles } from '../../support/models/index.ts';
import { newConversion } from '../../support/records.ts';
import { openParts } from './session-parts.ts';

// A converter gives way to whatever else a busy computer does.
vi.setConfig({ testTimeout: 120_000 });

/** What conversions work with, over containers of their own. */
export async function openGround(connectionString: string, given: Readonly<Record<string, string>> = {}) {
  const [modelsName, assetsName] = [`models-${randomUUID()}`, `assets-${randomUUID()}`];
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const models = service.getContainerClient(modelsName);
  const assets = service.getContainerClient(assetsName);
  await Promise.all([models.create(), assets.create()]);
  const settings = { MODELS_CONTAINER: modelsName, ASSETS_CONTAINER: assetsName, ...given };
  // Storage checks the SAS of a copy by its own clock.
  const blobs = new Blobs({ kind: 'connection-string', connectionString }, () => new Date());
  const parts = { ...(await openParts(connectionString, settings)), blobs };
  return {
    parts,
    models,

    /** Puts a model's files into a folder, and a conversion of its file into the records. */
    async order(id: string, files: ModelFiles, file = 'chair.glb', settings?: ConversionRecord['settings']) {
      for (const [path, bytes] of Object.entries(files)) {
        await models.getBlockBlobClient(`${id}/${path}`).upload(Buffer.from(bytes), bytes.length);
      }
      await parts.conversions.create({
        ...newConversion(id),
        ...(settings && { settings }),
        locations: {
          input: { container: modelsName, blobPrefix: `${id}/`, relativeInputAssetPath: file },
          output: { container: assetsName, blobPrefix: `${id}/`, outputAssetFilename: 'chair.glb' },
        },
      });
    },

    /** Passes of the conversion's orchestration, as often as it takes to come to its end. */
    run: (id: string): Promise<ConversionRecord> =>
      vi.waitFor(
        async () => {
          await runConversion(parts, id);
          const record = await parts.conversions.get(id);
          expect(nextConversionStep(record).step).toBeNull();
          return record;
        },
        { timeout: 100_000, interval: 20 },
      ),

    /** The blobs of converted assets whose name starts so. */
    async written(prefix: string): Promise<string[]> {
      const names: string[] = [];
      for await (const { name } of assets.listBlobsFlat({ prefix })) names.push(name);
      return names.sort();
    },

    /** A JSON document among them. */
    async document(name: string): Promise<unknown> {
      return JSON.parse((await assets.getBlobClient(name).downloadToBuffer()).toString());
    },
  };
}

export type ConversionGround = Awaited<ReturnType<typeof openGround>>;
