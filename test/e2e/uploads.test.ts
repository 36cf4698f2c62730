import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ClientError, RemoteRenderingClient } from '#lib/client';
import { startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb, quadFiles } from '../support/models/index.ts';

const within = { timeout: 30_000, interval: 100 };

let stack: TestStack;
let administrator: RemoteRenderingClient;
let reader: RemoteRenderingClient;
beforeAll(async () => {
  stack = await startTestStack({ UPLOAD_POLICY: 'convert', UPLOAD_URL_SECONDS: '60' });
  const clientOf = (role: 'client' | 'administrator', name: string) =>
    new RemoteRenderingClient({ url: stack.endpoints.app, token: () => stack.tokenFor(role, name) });
  administrator = clientOf('administrator', 'ada');
  reader = clientOf('client', 'cleo');
});
afterAll(() => stack[Symbol.asyncDispose]());

async function converted(model: string) {
  return await vi.waitFor(async () => {
    const pipeline = (await reader.pipelines()).find((each) => each.model === model);
    expect(pipeline?.state).toBe('converted');
    return pipeline;
  }, within);
}

async function refusalOf(asked: Promise<unknown>): Promise<ClientError> {
  const error = await asked.catch((thrown: unknown) => thrown);
  if (error instanceof ClientError) return error;
  throw new Error(`Not refused: ${String(error)}`);
}

describe('a model is uploaded without any storage role', () => {
  test('file by file to a folder of its own, and its pipeline starts by itself; its asset is read by a URL', async () => {
    const files = quadFiles({ bufferUri: 'parts/quad.bin' });
    const names = Object.keys(files).toSorted(
      (one, other) => Number(one.endsWith('.gltf')) - Number(other.endsWith('.gltf')),
    );
    const declared = names.map((name) => ({ name, bytes: files[name]?.length ?? 0 }));
    const upload = await administrator.createUpload(declared);
    expect(upload.files.map(({ name, blob }) => [name, blob])).toEqual(
      names.map((name) => [name, `${upload.uploadId}/${name}`]),
    );
    for (const file of upload.files) {
      const left = new Date(file.expiresOn).getTime() - Date.now();
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(60_000);
      await administrator.uploadFile(file, new Uint8Array(files[file.name] ?? []));
    }
    const pipeline = await converted(`${upload.uploadId}/quad.gltf`);
    expect(pipeline).toMatchObject({ owner: 'system', readers: ['clients'], conversion: { input: { triangles: 2 } } });

    const asset = await reader.asset(pipeline?.id ?? '');
    const glb = new Uint8Array(await (await fetch(asset.url)).arrayBuffer());
    expect([Buffer.from(glb.subarray(0, 4)).toString(), glb.length]).toEqual(['glTF', asset.bytes]);
    const info = await reader.asset(pipeline?.id ?? '', 'info');
    expect(await (await fetch(info.url)).json()).toMatchObject({ files: expect.anything() });
    // One blob, read only, for a short time.
    expect((await fetch(asset.url.replace('.glb', '.info.json'))).status).toBe(403);
    expect((await fetch(asset.url, { method: 'DELETE' })).status).toBe(403);
    expect(new URL(asset.url).searchParams.get('sp')).toBe('r');
    expect(Date.parse(asset.expiresOn) - Date.now()).toBeLessThanOrEqual(300_000);
  });

  test('a URL creates its one blob once: it reads nothing, replaces nothing and reaches no other', async () => {
    const { files } = await administrator.createUpload([{ name: 'notes.txt', bytes: 5 }]);
    const [target] = files;
    if (target === undefined) throw new Error('No URL came.');
    await administrator.uploadFile(target, new TextEncoder().encode('first'));
    expect((await refusalOf(administrator.uploadFile(target, new TextEncoder().encode('other')))).code).toBe(
      'upload-refused',
    );
    expect((await fetch(target.url)).status).toBe(403);
    const elsewhere = { ...target, url: target.url.replace('notes.txt', 'other.txt') };
    expect((await refusalOf(administrator.uploadFile(elsewhere, new Uint8Array(1)))).status).toBe(403);
    const tampered = { ...target, url: target.url.replace('sp=c', 'sp=rwd') };
    expect((await refusalOf(administrator.uploadFile(tampered, new Uint8Array(1)))).status).toBe(403);
  });

  test('one that fails leaves its result to read, and nothing else', async () => {
    const { uploadId, files } = await administrator.createUpload([{ name: 'bad.glb', bytes: 24 }]);
    for (const file of files)
      await administrator.uploadFile(file, new TextEncoder().encode('This is no model at all.'));
    const failed = await vi.waitFor(async () => {
      const pipeline = (await reader.pipelines()).find((each) => each.model === `${uploadId}/bad.glb`);
      expect(pipeline?.state).toBe('failed');
      return pipeline;
    }, within);
    const result = await reader.asset(failed?.id ?? '', 'result');
    expect((await fetch(result.url)).status).toBe(200);
    expect((await refusalOf(reader.asset(failed?.id ?? ''))).code).toBe('no-asset');
  });
});

describe('what cannot be uploaded is refused before anything is sent', () => {
  const glb = { name: 'box.glb', bytes: boxGlb().length };
  test.each<[string, { name: string; bytes: number }[], string]>([
    ['nothing', [], 'files'],
    ['a file twice', [glb, glb], 'files'],
    ['a way out of the folder', [{ ...glb, name: '../box.glb' }], 'files.0.name'],
    ['an absolute path', [{ ...glb, name: '/box.glb' }], 'files.0.name'],
    ['a backslash', [{ ...glb, name: 'a\\box.glb' }], 'files.0.name'],
    ['a line break', [{ ...glb, name: 'a\r\nb.glb' }], 'files.0.name'],
    ['an over-long name', [{ ...glb, name: 'x'.repeat(501) }], 'files.0.name'],
    ['a negative size', [{ ...glb, bytes: -1 }], 'files.0.bytes'],
    ['more than one request carries', [{ ...glb, bytes: 5000 * 2 ** 20 + 1 }], 'files.0.bytes'],
    [
      'more than is converted',
      [
        { ...glb, bytes: 2 ** 32 },
        { name: 'b.bin', bytes: 1 },
      ],
      'files',
    ],
  ])('%s', async (_name, files, field) => {
    const refusal = await refusalOf(administrator.createUpload(files));
    expect([refusal.status, refusal.code, refusal.field]).toEqual([400, 'invalid-request', field]);
  });

  test('and by a Client', async () => {
    expect((await refusalOf(reader.createUpload([glb]))).code).toBe('forbidden');
  });
});

describe('the client tells what went wrong', () => {
  test('where nothing answers, without the address, which may be a secret', async () => {
    const lost = new RemoteRenderingClient({ url: 'http://127.0.0.1:9', token: () => 'a-token' });
    const error = await refusalOf(lost.pipelines());
    expect(error).toMatchObject({ code: 'unreachable', status: undefined });
    const url = 'http://127.0.0.1:9/models/a?sig=secret';
    expect((await refusalOf(lost.uploadFile({ name: 'a', url }, new Uint8Array(1)))).message).not.toContain('secret');
  });

  test('where the caller is not known, and where there is nothing', async () => {
    const nobody = new RemoteRenderingClient({ url: stack.endpoints.app, token: () => 'a-token' });
    expect(await refusalOf(nobody.pipelines())).toMatchObject({ code: 'unauthenticated', status: 401 });
    expect(await refusalOf(reader.pipeline('nothing'))).toMatchObject({ code: 'not-found', status: 404 });
  });
});
