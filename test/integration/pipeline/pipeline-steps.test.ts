import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { awaitFiles, convert, pipelineView, startSession, stop, stopPipeline, watchSession } from '#lib/pipeline';
import type { ConversionResult } from '#lib/records';
import { type Conversion, RenderingError } from '#lib/rendering';
import { endingSession, readySession, startingSession } from '../../support/fake-rendering.ts';
import { at } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import { administrator, create, openParts, pass, passes, type TestParts } from './pipeline-parts.ts';

let storage: TestStorage;
let parts: TestParts;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  parts = await openParts(storage.connectionString);
});

const gltf = (document: object) => Buffer.from(JSON.stringify({ asset: { version: '2.0' }, ...document }));
const numbers = { bytes: 1000, triangles: 12, vertices: 24, materials: 1, meshes: 1 };
const warning = { code: 'texture_missing', title: 'A texture is missing', details: {} };
const result: ConversionResult = {
  contentKey: 'c0ffee',
  cached: false,
  input: { ...numbers, files: 2 },
  output: numbers,
  warnings: [warning],
  outputs: [{ name: 'p/chair.glb', bytes: 1000 }],
};
const succeeded: Conversion = { state: 'succeeded', result };
const statesOf = async (id = 'p') => (await parts.pipelines.history(id)).map(({ state }) => state);

/** A pipeline whose conversion has succeeded and whose session is at the given point. */
async function converted(session = startingSession('p')): Promise<void> {
  await parts.upload('chair/chair.gltf', gltf({}));
  await create(parts, 'p');
  parts.rendering.conversion = succeeded;
  parts.rendering.session = session;
  await passes(parts, 'p');
}

async function ready(): Promise<void> {
  await converted(readySession('p', { state: 'loaded' }));
  expect((await parts.pipelines.get('p')).state).toBe('ready');
}

describe('a pipeline from upload to stopped machine', () => {
  test('goes through every state, asks for each thing once, and copies what came of it', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p', { session: { size: 'Premium', maxLeaseSeconds: 60 } });
    expect(await pass(parts, 'p')).toEqual(at(0));
    expect(await pass(parts, 'p')).toEqual(at(7));
    expect(await pass(parts, 'p')).toEqual(at(7));
    expect(parts.rendering.conversions).toEqual([
      {
        id: 'p',
        owner: 'ada',
        readers: ['clients'],
        input: { container: parts.config.MODELS_CONTAINER, blobPrefix: 'chair/', relativeInputAssetPath: 'chair.gltf' },
        output: { container: 'assets', blobPrefix: 'p/', outputAssetFilename: 'chair.glb' },
      },
    ]);
    parts.rendering.conversion = succeeded;
    await pass(parts, 'p');
    expect(await pass(parts, 'p')).toEqual(at(3));
    expect(await pass(parts, 'p')).toEqual(at(3));
    expect(parts.rendering.sessions).toEqual([
      { id: 'p', owner: 'ada', readers: ['clients'], size: 'Premium', maxLeaseSeconds: 60 },
    ]);
    expect(parts.rendering.assets[0]).toEqual({ container: 'assets', blob: 'p/chair.glb' });

    parts.rendering.session = readySession('p', { state: 'loading' });
    expect(await pass(parts, 'p')).toEqual(at(3));
    parts.rendering.session = readySession('p', { state: 'loaded' });
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'ready',
      conversion: result,
      warnings: [warning],
      session: { hostname: '127.0.0.1', ports: { inspector: 4242 }, readyAt: at(0).toISOString() },
      machine: { startedAt: at(0).toISOString() },
    });

    parts.rendering.session = endingSession('p', 'stopping', 'lease_expired');
    expect((await passes(parts, 'p')).state).toBe('stopping');
    parts.rendering.session = endingSession('p', 'stopped', 'lease_expired');
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'stopped',
      ending: { reason: 'lease_expired', evidence: 'the session says so' },
      machine: { stoppedAt: at(60).toISOString() },
    });
    expect(await statesOf()).toEqual(['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped']);
    expect(await pass(parts, 'p')).toBeUndefined();
  });

  test('ends as converted where no session is asked for', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p', { session: null });
    parts.rendering.conversion = succeeded;
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'converted',
      ending: { reason: 'completed' },
      conversion: result,
    });
    expect(parts.rendering.sessions).toEqual([]);
  });

  test('a step that runs late, for a state that has passed, changes nothing and asks for nothing', async () => {
    await ready();
    const before = await parts.pipelines.get('p');
    for (const step of [awaitFiles, convert, startSession, stop]) expect(await step(parts, 'p')).toEqual(at(0));
    expect(await parts.pipelines.get('p')).toEqual(before);
    expect(parts.rendering.conversions).toEqual([]);
    parts.rendering.session = endingSession('p', 'stopped', 'lease_expired');
    const ended = await passes(parts, 'p');
    const stops = parts.rendering.stops.length;
    for (const step of [awaitFiles, convert, startSession, watchSession, stop]) await step(parts, 'p');
    expect(await parts.pipelines.get('p')).toEqual(ended);
    expect(parts.rendering.stops).toHaveLength(stops);
  });
});

describe('a pipeline that converts', () => {
  const begun = async (body: object = {}) => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p', body);
    await passes(parts, 'p');
  };

  test('gives on the settings that it was given, none and empty ones told apart', async () => {
    await begun({ settings: {} });
    expect(parts.rendering.conversions[0]).toMatchObject({ settings: {} });
  });

  test('shows how far it is, without an event of its own, and no more once it is over', async () => {
    await begun();
    const progress = { phase: 'compressing', inputBytes: 900, triangles: 12 } as const;
    parts.rendering.conversion = { state: 'running', retryAfterSeconds: 7, progress };
    const record = await passes(parts, 'p');
    expect(pipelineView(record)).toMatchObject({ state: 'converting', progress, settings: null });
    expect((await passes(parts, 'p')).revision).toBe(record.revision);
    expect(await statesOf()).toEqual(['waiting', 'converting']);
    parts.rendering.conversion = succeeded;
    expect(pipelineView(await passes(parts, 'p'))).toMatchObject({ state: 'starting', progress: null });
  });

  test('whose conversion was cancelled elsewhere stops for the same reason', async () => {
    await begun();
    const ending = { reason: 'admin_stop', evidence: 'bob asked for it.', at: at(0).toISOString() } as const;
    parts.rendering.conversion = { state: 'cancelled', ending };
    expect(await passes(parts, 'p')).toMatchObject({ state: 'stopped', ending: { reason: 'admin_stop' } });
  });
});

describe('a conversion', () => {
  test('that fails ends the pipeline with its reason, message and warnings, and no session', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p');
    const failure = { reason: 'missing_files', message: 'chair.bin is missing', warnings: [warning] } as const;
    parts.rendering.conversion = { state: 'failed', failure: { ...failure, warnings: [...failure.warnings] } };
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'failed',
      ending: { reason: 'missing_files', evidence: 'chair.bin is missing' },
      warnings: [warning],
    });
    expect(parts.rendering.sessions).toEqual([]);
  });

  test('that is refused for good ends the pipeline instead of being asked for for ever', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p');
    parts.rendering.refusal = new RenderingError('conflict', 'There is a conversion p already');
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'failed',
      ending: { reason: 'internal_error', evidence: 'There is a conversion p already' },
    });
  });

  test('that nobody can be asked for now is asked for again: the pass fails, the record stays', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p');
    await pass(parts, 'p');
    parts.rendering.refusal = new Error('the service does not answer');
    await expect(pass(parts, 'p')).rejects.toThrow('does not answer');
    expect((await parts.pipelines.get('p')).state).toBe('converting');
  });
});

describe('a session', () => {
  test.each([
    ['capacity', 'failed'],
    ['host_lost', 'failed'],
    ['user_stop', 'stopped'],
  ] as const)(
    'that ends with %s before it is Ready ends the pipeline as %s, with the same words',
    async (reason, state) => {
      await converted(endingSession('p', state, reason));
      expect(await parts.pipelines.get('p')).toMatchObject({
        state,
        ending: { reason, evidence: 'the session says so' },
        machine: { stoppedAt: at(60).toISOString() },
      });
      expect(await statesOf()).toEqual(['waiting', 'converting', 'starting', 'stopping', state]);
    },
  );

  test('that is refused for good ends the pipeline instead of being asked for for ever', async () => {
    await parts.upload('chair/chair.gltf', gltf({}));
    await create(parts, 'p');
    parts.rendering.conversion = succeeded;
    await pass(parts, 'p');
    await pass(parts, 'p');
    parts.rendering.refusal = new RenderingError('lease_over_cap', 'maxLeaseSeconds may be 30 at most');
    expect(await passes(parts, 'p')).toMatchObject({
      state: 'failed',
      ending: { reason: 'internal_error', evidence: 'maxLeaseSeconds may be 30 at most' },
    });
  });

  test('whose host cannot load the asset is stopped, with what the host said', async () => {
    await converted(readySession('p', { state: 'failed', error: 'no memory' }));
    const evidence = 'The session host could not load the asset: no memory';
    expect(parts.rendering.stops.at(-1)).toEqual({ reason: 'provider_error', evidence });
    parts.rendering.session = endingSession('p', 'stopped', 'user_stop');
    expect(await passes(parts, 'p')).toMatchObject({ state: 'failed', ending: { reason: 'provider_error', evidence } });
  });

  test('whose record is gone while it is Ready ends the pipeline', async () => {
    await ready();
    parts.rendering.session = undefined;
    expect(await passes(parts, 'p')).toMatchObject({ state: 'failed', ending: { reason: 'internal_error' } });
  });

  test('is looked at every five seconds, at the end of its lease to the millisecond, and then as its service wants', async () => {
    await ready();
    expect(await pass(parts, 'p')).toEqual(at(5));
    parts.clock.advance(57.5);
    expect(await pass(parts, 'p')).toEqual(at(60));
    parts.clock.advance(2.5);
    expect(await pass(parts, 'p')).toEqual(at(63));
    parts.rendering.session = readySession('p', { state: 'loaded' }, at(200));
    expect(await pass(parts, 'p')).toEqual(at(65));
  });
});

describe('a pipeline that is asked to stop', () => {
  const begin: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['waits for files', () => create(parts, 'p')],
    [
      'converts',
      async () => {
        await parts.upload('chair/chair.gltf', gltf({}));
        await create(parts, 'p');
        await passes(parts, 'p');
      },
    ],
    ['starts its session', () => converted()],
    ['is ready', () => ready()],
  ];

  test.each(begin)(
    'while it %s is woken, asks session and conversion to stop, and ends when both are seen to have ended',
    async (_, prepare) => {
      await prepare();
      const record = await stopPipeline(parts, administrator('ada'), 'p');
      expect(record.desired).toMatchObject({ reason: 'user_stop', evidence: 'ada asked for it.' });
      expect(parts.orchestrations.woken).toEqual(['pipeline p']);
      if (parts.rendering.session !== undefined) {
        expect((await passes(parts, 'p')).state).toBe('stopping');
        parts.rendering.session = endingSession('p', 'stopped', 'user_stop');
      }
      if (parts.rendering.conversion?.state === 'running') {
        expect((await passes(parts, 'p')).state).toBe('stopping');
        const ending = { reason: 'user_stop', evidence: 'ada asked for it.', at: at(0).toISOString() } as const;
        parts.rendering.conversion = { state: 'cancelled', ending };
      }
      expect(await passes(parts, 'p')).toMatchObject({
        state: 'stopped',
        ending: { reason: 'user_stop', evidence: 'ada asked for it.' },
      });
      const asked = { reason: 'user_stop', evidence: 'ada asked for it.' } as const;
      expect([parts.rendering.stops[0], parts.rendering.cancellations[0]]).toEqual([asked, asked]);
    },
  );

  test('many times at once keeps one wish, tells of it once, and answers everybody with it', async () => {
    await ready();
    const answers = await Promise.all(['a', 'b', 'c'].map((name) => stopPipeline(parts, administrator(name), 'p')));
    expect(new Set(answers.map(({ desired }) => desired?.evidence)).size).toBe(1);
    expect((await parts.pipelines.history('p')).filter(({ type }) => type === 'stop_asked')).toHaveLength(1);
  });

  test('by another Administrator than its owner has a reason of its own', async () => {
    await create(parts, 'p');
    const record = await stopPipeline(parts, administrator('bob'), 'p');
    expect(record.desired).toMatchObject({ reason: 'admin_stop', evidence: 'bob asked for it.' });
  });

  test('after its end is left as it is', async () => {
    await converted(endingSession('p', 'failed', 'capacity'));
    const ended = await parts.pipelines.get('p');
    expect(await stopPipeline(parts, administrator('ada'), 'p')).toEqual(ended);
    expect(await parts.pipelines.get('p')).toEqual(ended);
  });

  test('that is not there is not_found', async () => {
    await expect(stopPipeline(parts, administrator('ada'), 'nobody')).rejects.toMatchObject({ code: 'not_found' });
  });
});
