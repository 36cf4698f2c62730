import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LiveEvent, PipelineAnswer } from '#lib/api';
import { RemoteRenderingClient } from '#lib/client';
import { connectionString } from '../../infra/local/storage-account.ts';
import { startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb, type ModelFiles, png, quadGlb, sheetGlb, unpack } from '../support/models/index.ts';
import { treeOf } from '../support/processes.ts';

// A converter gives way to whatever else a busy computer does.
vi.setConfig({ testTimeout: 120_000 });
const within = { timeout: 100_000, interval: 50 };
const MAX_TEXTURE_PIXELS = 1024;

let stack: TestStack;
let ada: RemoteRenderingClient;
beforeAll(async () => {
  const limit = { CONVERSION_MAX_TEXTURE_PIXELS: String(MAX_TEXTURE_PIXELS) };
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', TOKEN_REQUESTS_PER_MINUTE: '1000', ...limit });
  ada = new RemoteRenderingClient({ url: stack.endpoints.app, token: () => stack.tokenFor('administrator', 'ada') });
});
afterAll(() => stack[Symbol.asyncDispose]());

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const text = (...lines: string[]) => new TextEncoder().encode(lines.join('\n'));

/** Uploads a folder, its last file last, and waits for the pipeline of the model among them to come to its end. */
async function uploadAll(folder: string, files: ModelFiles, state: PipelineAnswer['state'] = 'converted') {
  for (const [name, bytes] of Object.entries(files)) await stack.upload(`${folder}/${name}`, bytes);
  const [model] = Object.keys(files).slice(-1);
  return await vi.waitFor(async () => {
    const pipeline = (await ada.pipelines()).find((each) => each.model === `${folder}/${model}`);
    expect(pipeline, JSON.stringify(pipeline)).toMatchObject({ state });
    return pipeline ?? expect.fail('There is none.');
  }, within);
}

async function read(id: string, file: 'asset' | 'info' | 'result'): Promise<Response> {
  return await fetch((await ada.asset(id, file)).url);
}

async function written(prefix: string): Promise<string[]> {
  const names: string[] = [];
  const assets = BlobServiceClient.fromConnectionString(connectionString(stack.endpoints)).getContainerClient('assets');
  for await (const { name } of assets.listBlobsFlat({ prefix })) names.push(name);
  return names;
}

const converters = async () =>
  (await treeOf(process.pid)).filter(({ commandLine }) => commandLine.includes('functions/converter.mjs'));

/** Uploads a model that takes some seconds, and waits for its pipeline. */
async function begin(model: string, bytes: Uint8Array): Promise<string> {
  await stack.upload(model, bytes);
  return await vi.waitFor(async () => {
    const pipeline = (await ada.pipelines()).find((each) => each.model === model);
    return pipeline?.id ?? expect.fail('It has not started.');
  }, within);
}

describe('what lies beside a model', () => {
  test('the settings file counts for an upload, and info.json shows what it says', async () => {
    const { id, settings } = await uploadAll('settings', {
      'box.ConversionSettings.json': json({ scaling: 2, opaqueMaterialDefaultSidedness: 'SingleSided' }),
      'box.glb': boxGlb(),
    });
    expect(settings).toBeNull();
    expect(await (await read(id, 'info')).json()).toMatchObject({
      conversionSettings: { scaling: 2, opaqueMaterialDefaultSidedness: 'SingleSided' },
      outputStatistics: { boundingBox: { max: [2, 2, 2] } },
    });
  });

  test('settings in a request replace the file', async () => {
    await ada.putPipeline('given', { model: 'settings/box.glb', settings: { scaling: 5 }, session: null });
    await vi.waitFor(async () => expect((await ada.pipeline('given')).state).toBe('converted'), within);
    const info = await (await read('given', 'info')).json();
    expect(info).toMatchObject({
      conversionSettings: { scaling: 5 },
      outputStatistics: { boundingBox: { max: [5, 5, 5] } },
    });
    expect(
      (await ada.putPipeline('given', { model: 'settings/box.glb', settings: { scaling: 5 }, session: null })).id,
    ).toBe('given');
    await expect(ada.putPipeline('given', { model: 'settings/box.glb', session: null })).rejects.toMatchObject({
      status: 409,
    });
  });

  test('the material override file counts', async () => {
    const { id } = await uploadAll('overrides', {
      'shop.json': json([{ name: 'painted', roughness: 0.25 }]),
      'box.ConversionSettings.json': json({ 'material-override': 'shop.json' }),
      'box.glb': boxGlb(),
    });
    const asset = await unpack(new Uint8Array(await (await read(id, 'asset')).arrayBuffer()));
    expect(
      asset
        .getRoot()
        .listMaterials()
        .map((material) => material.getRoughnessFactor()),
    ).toEqual([0.25]);
  });

  test('a broken settings file fails the conversion, naming file, key, value and what is allowed', async () => {
    const { id, reason, evidence } = await uploadAll(
      'broken',
      { 'box.ConversionSettings.json': json({ sceneGraphMode: 'frozen' }), 'box.glb': boxGlb() },
      'failed',
    );
    expect(reason).toBe('input_refused');
    for (const word of ['box.ConversionSettings.json', 'sceneGraphMode', 'frozen', 'dynamic'])
      expect(evidence).toContain(word);
    expect(await written(`${id}/`)).toEqual([`${id}/box.result.json`]);
  });

  test('the materials of an OBJ and their textures are found', async () => {
    const { conversion } = await uploadAll('obj', {
      'textures/wood.png': png(8, [9, 8, 7]),
      'paint.mtl': text('newmtl wood', 'Kd 1 1 1', 'map_Kd C:\\work\\textures\\wood.png'),
      'chair.obj': text(
        'mtllib paint.mtl',
        ...['v 0 0 0', 'v 1 0 0', 'v 1 1 0', 'v 0 1 0', 'vt 0 0', 'vt 1 0', 'vt 1 1', 'vt 0 1'],
        'usemtl wood',
        'f 1/1 2/2 3/3 4/4',
      ),
    });
    expect(conversion).toMatchObject({ warnings: [], input: { files: 3, triangles: 2 }, output: { materials: 1 } });
  });

  test('a limit is refused by its name and its setting', async () => {
    const { reason, evidence } = await uploadAll('limit', { 'quad.glb': quadGlb(png(64, [1, 2, 3])) }, 'failed');
    expect(reason).toBe('limit');
    expect(evidence).toContain('texturePixels');
    expect(evidence).toContain('CONVERSION_MAX_TEXTURE_PIXELS');
  });
});

describe('a pipeline that converts a large model', () => {
  test('tells its phases live and when it is read, and no more once it is over', async () => {
    const id = await begin('large/sheet.glb', sheetGlb(500_000));
    const events: LiveEvent[] = [];
    const watched = (async () => {
      for await (const event of ada.watch(id)) events.push(event);
    })();
    await vi.waitFor(async () => {
      const { progress } = await ada.pipeline(id);
      expect(progress).toMatchObject({ phase: expect.any(String), inputBytes: expect.any(Number) });
    }, within);
    await watched;
    const told = events.filter(({ type }) => type === 'remoterendering.conversion.progress');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThanOrEqual(6);
    const data = { state: 'running', progress: { phase: expect.any(String) } };
    expect(told[0]).toMatchObject({ subject: `/conversions/${id}`, data });
    expect(await ada.pipeline(id)).toMatchObject({ state: 'converted', progress: null });
  });

  test('stops within two seconds of being asked, leaves its result file alone, and gives its content to who waits for it', async () => {
    const id = await begin('stopped/sheet.glb', sheetGlb(600_000));
    const [converter] = await vi.waitFor(async () => {
      const found = await converters();
      expect(found).toHaveLength(1);
      return found;
    }, within);
    await ada.putPipeline('waits', { model: 'stopped/sheet.glb', session: null });
    const asked = performance.now();
    await ada.stopPipeline(id);
    await vi.waitFor(async () => {
      expect((await converters()).map(({ pid }) => pid)).not.toContain(converter?.pid);
    }, within);
    expect(performance.now() - asked).toBeLessThan(2000);
    await vi.waitFor(async () => {
      expect(await ada.pipeline(id)).toMatchObject({ state: 'stopped', reason: 'admin_stop' });
    }, within);
    expect(performance.now() - asked).toBeLessThan(4000);
    expect(await written(`${id}/`)).toEqual([`${id}/sheet.result.json`]);
    const { conversionHistory } = await ada.pipeline(id);
    expect(conversionHistory.at(-1)).toMatchObject({ state: 'cancelled', reason: 'admin_stop' });
    await vi.waitFor(async () => {
      const pipeline = await ada.pipeline('waits');
      const converted = { state: 'converted', conversion: { cached: false } };
      expect(pipeline, JSON.stringify(pipeline)).toMatchObject(converted);
    }, within);
  });
});
