import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { onUpload } from '#lib/pipeline';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { create, openParts, type TestParts } from './pipeline-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString);
});

/** What Event Grid posts when a blob has appeared. */
const created = (path: string, { eTag = '0x8DD', container = parts.config.MODELS_CONTAINER } = {}) => ({
  id: 'event-1',
  topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a',
  subject: `/blobServices/default/containers/${container}/blobs/${path}`,
  eventType: 'Microsoft.Storage.BlobCreated',
  eventTime: '2026-03-01T12:00:00Z',
  data: { api: 'PutBlob', eTag, contentLength: 7, blobType: 'BlockBlob', url: 'http://x' },
  dataVersion: '',
  metadataVersion: '1',
});
const upload = (path: string, options?: Parameters<typeof created>[1]) => onUpload(parts, created(path, options));

describe('a model in a folder', () => {
  test('starts a pipeline of the system that all clients may read, under an id that callers cannot take', async () => {
    const outcome = await upload('chair/chair.glb');
    const [record] = await parts.pipelines.list();
    expect(outcome).toEqual({ kind: 'started', pipelineId: record?.id });
    expect(record).toMatchObject({
      id: expect.stringMatching(/^blob-[0-9a-f]{40}$/),
      state: 'waiting',
      owner: 'system',
      readers: ['clients'],
      request: {
        model: { folder: 'chair', file: 'chair.glb' },
        session: { size: 'Standard', maxLeaseSeconds: 60 },
      },
    });
    expect(parts.orchestrations.started).toEqual([`pipeline ${record?.id}`]);
  });

  test('wakes those that were asked for before it came, and wait for it', async () => {
    await create(parts, 'early', { model: 'chair/chair.glb' });
    expect(await upload('chair/chair.glb')).toMatchObject({ kind: 'started' });
    expect(parts.orchestrations.woken).toEqual(['pipeline early']);
  });

  test('starts none of a session where UPLOAD_POLICY is convert', async () => {
    parts = await openParts(storage.connectionString, { UPLOAD_POLICY: 'convert' });
    await upload('chair/chair.glb');
    expect((await parts.pipelines.list())[0]?.request.session).toBeNull();
  });

  test('may have a name of any language, with spaces, in folders of its folder', async () => {
    await upload('my chair/teile/Stuhl Größe 2.GLTF');
    const [record] = await parts.pipelines.list();
    expect(record?.request.model).toEqual({ folder: 'my chair', file: 'teile/Stuhl Größe 2.GLTF' });
  });
});

describe('the same event', () => {
  test('three times at once, and a late duplicate after the end, is one pipeline that is started once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 3 }, () => upload('chair/chair.glb')));
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['known', 'known', 'started']);
    const [record, ...others] = await parts.pipelines.list();
    expect(others).toEqual([]);
    await parts.pipelines.update(record?.id ?? '', (current) => ({
      record: { ...current, state: 'failed', ending: { reason: 'capacity', evidence: '', at: current.updatedAt } },
    }));
    expect(await upload('chair/chair.glb')).toEqual({ kind: 'known', pipelineId: record?.id });
    expect(parts.orchestrations.started).toHaveLength(1);
  });

  test('with the quotes that other sources give an ETag is still the same pipeline', async () => {
    await upload('chair/chair.glb', { eTag: '0x8DD' });
    expect(await upload('chair/chair.glb', { eTag: '"0x8DD"' })).toMatchObject({ kind: 'known' });
  });

  test('after a setting has changed is still the same pipeline', async () => {
    await upload('chair/chair.glb');
    const changed = { ...parts, config: { ...parts.config, UPLOAD_POLICY: 'convert' as const, LEASE_SECONDS: 10 } };
    expect(await onUpload(changed, created('chair/chair.glb'))).toMatchObject({ kind: 'known' });
    expect(await parts.pipelines.list()).toHaveLength(1);
  });

  test('is another one for new bytes under the same name, and for the same bytes under another', async () => {
    await upload('chair/chair.glb');
    await upload('chair/chair.glb', { eTag: '0x8DE' });
    await upload('chair/copy.glb');
    expect(await parts.pipelines.list()).toHaveLength(3);
  });

  test('whose start fails is to be delivered again: the failure reaches Event Grid, and the record is there for the reaper', async () => {
    parts.orchestrations.down = true;
    await expect(upload('chair/chair.glb')).rejects.toThrow('no answer');
    expect(await parts.pipelines.listActive()).toHaveLength(1);
  });
});

describe('another file', () => {
  test('wakes the pipelines that wait for files of its folder, and no other', async () => {
    await create(parts, 'waits', { model: 'chair/chair.gltf' });
    await create(parts, 'waits-too', { model: 'chair/parts/seat.gltf' });
    await create(parts, 'elsewhere', { model: 'chairs/chair.gltf' });
    await create(parts, 'converts', { model: 'chair/chair.gltf' });
    await parts.pipelines.update('converts', (current) => ({ record: { ...current, state: 'converting' } }));
    const outcome = await upload('chair/textures/wood.png');
    expect(outcome).toEqual({ kind: 'woke', pipelineIds: expect.arrayContaining(['waits', 'waits-too']) });
    expect(parts.orchestrations.woken.sort()).toEqual(['pipeline waits', 'pipeline waits-too']);
    expect(await parts.pipelines.list()).toHaveLength(4);
  });

  test.each(['chair/chair.ConversionSettings.json', 'chair/chair.MaterialOverrides.json'])(
    '%s starts nothing: it is there for the model that comes after it',
    async (path) => {
      expect(await upload(path)).toEqual({ kind: 'woke', pipelineIds: [] });
      expect(await parts.pipelines.list()).toEqual([]);
    },
  );

  test('that nobody waits for wakes nobody', async () => {
    expect(await upload('chair/readme.txt')).toEqual({ kind: 'woke', pipelineIds: [] });
  });
});

describe('what is ignored, and why', () => {
  test('a model in no folder', async () => {
    const outcome = await upload('chair.glb');
    expect(outcome).toEqual({ kind: 'ignored', why: 'chair.glb is in no folder; models are uploaded as folder/file' });
  });

  test('a blob of another container, also of one whose name begins alike', async () => {
    const container = parts.config.MODELS_CONTAINER;
    for (const other of ['assets', `${container}2`, container.slice(0, -1)]) {
      const why = `it is not in the container ${container}`;
      expect(await upload('chair/chair.glb', { container: other })).toEqual({ kind: 'ignored', why });
    }
  });

  test.each(['chair//chair.glb', '/chair.glb', 'chair/../chair.glb', 'a\\b/../chair.glb', '//x.glb'])(
    'a model at %j, which is no path of folder and file',
    async (path) => {
      expect(await upload(path)).toMatchObject({ kind: 'ignored' });
    },
  );

  test.each([
    ['nothing', undefined],
    ['text', 'BlobCreated'],
    ['another type', anEvent('BlobDeleted')],
    ['no subject', { eventType: 'Microsoft.Storage.BlobCreated', data: { eTag: '1' } }],
    [
      'no data',
      { eventType: 'Microsoft.Storage.BlobCreated', subject: '/blobServices/default/containers/m/blobs/a/b.glb' },
    ],
    ['no ETag', { eventType: 'Microsoft.Storage.BlobCreated', subject: 'x', data: { eTag: '' } }],
  ])('what is no BlobCreated event: %s', async (_, event) => {
    expect(await onUpload(parts, event)).toEqual({ kind: 'ignored', why: 'it is no BlobCreated event' });
  });

  test('starts nothing', async () => {
    for (const path of ['chair.glb', 'chair//chair.glb']) await upload(path);
    expect(await parts.pipelines.list()).toEqual([]);
    expect(parts.orchestrations.started).toEqual([]);
  });
});

function anEvent(type: string) {
  const subject = '/blobServices/default/containers/models/blobs/chair/chair.glb';
  return { eventType: `Microsoft.Storage.${type}`, subject, data: { eTag: '1' } };
}
