import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { pipelineBody, pipelineId } from '#lib/api';
import { firstIssue } from '#lib/http';
import { idOfIdempotencyKey, PipelineError, pipelineRequestOf, refuseReservedId } from '#lib/pipeline';
import { testConfig } from '../../support/records.ts';

const parse = (body: unknown, settings: Readonly<Record<string, string>> = {}) =>
  pipelineRequestOf(pipelineBody.parse(body), testConfig('UseDevelopmentStorage=true', settings));
const model = 'chair/chair.glb';

/** The field that the refusal names. */
function refused(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'invalid') return error.field;
    if (error instanceof z.ZodError) return firstIssue(error).field ?? 'body';
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('the session of a request', () => {
  test('that says nothing of it is what UPLOAD_POLICY says', () => {
    expect(parse({ model }, { UPLOAD_POLICY: 'convert' }).session).toBeNull();
    expect(parse({ model }, { UPLOAD_POLICY: 'convert-and-start' }).session).toEqual({
      size: 'Standard',
      maxLeaseSeconds: 600,
    });
  });

  test('that is null is none, whatever UPLOAD_POLICY says', () => {
    expect(parse({ model, session: null }, { UPLOAD_POLICY: 'convert-and-start' }).session).toBeNull();
  });

  test('that is there is started, whatever UPLOAD_POLICY says, with the settings where it names none', () => {
    const settings = { UPLOAD_POLICY: 'convert', SESSION_SIZE: 'Premium', LEASE_SECONDS: '120' };
    expect(parse({ model, session: {} }, settings).session).toEqual({ size: 'Premium', maxLeaseSeconds: 120 });
    const session = { size: 'Standard', maxLeaseSeconds: 30 };
    expect(parse({ model, session }, settings).session).toEqual(session);
  });

  test('has at most MAX_LEASE_SECONDS: asked for more is refused, a default over it is cut', () => {
    const settings = { LEASE_SECONDS: '600', MAX_LEASE_SECONDS: '300' };
    expect(parse({ model, session: {} }, settings).session).toMatchObject({ maxLeaseSeconds: 300 });
    expect(parse({ model, session: { maxLeaseSeconds: 300 } }, settings).session).toMatchObject({
      maxLeaseSeconds: 300,
    });
    expect(refused(() => parse({ model, session: { maxLeaseSeconds: 301 } }, settings))).toBe(
      'session.maxLeaseSeconds',
    );
    expect(() => parse({ model, session: { maxLeaseSeconds: 301 } }, settings)).toThrow('MAX_LEASE_SECONDS');
  });

  test.each([
    ['session.maxLeaseSeconds', { maxLeaseSeconds: 0 }],
    ['session.maxLeaseSeconds', { maxLeaseSeconds: 1.5 }],
    ['session.maxLeaseSeconds', { maxLeaseSeconds: '60' }],
    ['session.size', { size: 'Huge' }],
    ['session', 'Standard'],
  ])('is refused, naming %s, where it is %j', (field, session) => {
    expect(refused(() => parse({ model, session }))).toBe(field);
  });
});

describe('the model of a request', () => {
  test('is a folder, and a file that may lie in folders of its own', () => {
    expect(parse({ model }).model).toEqual({ folder: 'chair', file: 'chair.glb' });
    expect(parse({ model: 'a b/parts/ä.GLTF' }).model).toEqual({ folder: 'a b', file: 'parts/ä.GLTF' });
  });

  test.each([
    undefined,
    7,
    '',
    'chair.glb',
    '/chair.glb',
    'chair/',
    'chair//chair.glb',
    '../chair.glb',
    'chair/../chair.glb',
    'chair/./chair.glb',
    'chair\\..\\chair.glb',
    'chair/..\\chair.glb',
    'chair/chair.png',
    'chair/glb',
    `chair/${'x'.repeat(1024)}.glb`,
  ])('is refused where it is %j', (path) => {
    expect(refused(() => parse({ model: path }))).toBe('model');
  });
});

describe('the rest of a request', () => {
  test('are the settings of its conversion, as they were given', () => {
    expect(parse({ model, settings: { scaling: 2 } }).settings).toEqual({ scaling: 2 });
  });

  test('tell no settings from empty ones: without any a settings file beside the model counts', () => {
    expect(parse({ model })).not.toHaveProperty('settings');
    expect(parse({ model, settings: {} }).settings).toEqual({});
  });

  test.each([
    ['settings.scaling', { model, settings: { scaling: -1 } }],
    ['settings.opaqueMaterial', { model, settings: { opaqueMaterial: true } }],
    ['settings', { model, settings: 'small' }],
    ['settings', { model, settings: { metadataKeys: Array.from({ length: 2000 }, (_, i) => `key-${i}`) } }],
    ['modle', { model, modle: 1 }],
    ['session.lease', { model, session: { lease: 60 } }],
    ['body', 'chair/chair.glb'],
    ['body', null],
    ['body', [model]],
  ])('is refused, naming %s, in %j', (field, body) => {
    expect(refused(() => parse(body))).toBe(field);
  });
});

describe('the id of a pipeline', () => {
  test.each(['a', 'chair-2026_03', 'x'.repeat(128), 'blob', 'keys-1'])('may be %s', (id) => {
    expect(pipelineId.safeParse(id).success).toBe(true);
    expect(() => refuseReservedId(id)).not.toThrow();
  });

  test.each(['', 'x'.repeat(129), 'a b', 'a/b', '..', 'a.b', 'ä', "a'b"])('may not be %j', (id) => {
    expect(pipelineId.safeParse(id).success).toBe(false);
  });

  test.each(['blob-1', 'key-1'])('may not be %s: such are given by the suite', (id) => {
    expect(refused(() => refuseReservedId(id))).toBe('id');
    expect(() => refuseReservedId(id)).toThrow('given by the suite');
  });

  test('of an Idempotency-Key is the same for the same owner and key, and for nothing else', () => {
    const id = idOfIdempotencyKey('local', 'one');
    expect(id).toMatch(/^key-[0-9a-f]{40}$/);
    expect(idOfIdempotencyKey('local', 'one')).toBe(id);
    expect(new Set([id, idOfIdempotencyKey('local', 'two'), idOfIdempotencyKey('other', 'one')]).size).toBe(3);
  });
});
