import { describe, expect, it } from 'vitest';
import { contentKey, parseConversionSettings } from '#lib/conversion';

const settings = parseConversionSettings({});
const model = { path: 'box.gltf', sha256: 'aa' };
const buffer = { path: 'box.bin', sha256: 'bb' };
const texture = { path: 'wood.png', sha256: 'cc' };
const key = contentKey({ files: [model, buffer, texture], settings });

describe('the content key', () => {
  it('is a SHA-256 in hex', () => {
    expect(key).toMatch(/^[0-9a-f]{64}$/);
  });

  it('does not depend on the model’s name, the order of the files or how settings are written', () => {
    const files = [{ ...model, path: 'copy of box.gltf' }, texture, { ...buffer, sha256: 'BB' }];
    const same = parseConversionSettings({ deduplicateMaterials: true, scaling: 1 });
    expect(contentKey({ files, settings: same })).toBe(key);
  });

  it.each([
    ['the model’s bytes', { files: [{ ...model, sha256: 'ab' }, buffer, texture], settings }],
    ['a referenced file’s bytes', { files: [model, { ...buffer, sha256: 'ba' }, texture], settings }],
    ['a referenced file’s name', { files: [model, { ...buffer, path: 'other.bin' }, texture], settings }],
    ['a file that is missing', { files: [model, buffer], settings }],
    [
      'files that change places',
      { files: [model, { ...buffer, sha256: 'cc' }, { ...texture, sha256: 'bb' }], settings },
    ],
    ['a setting', { files: [model, buffer, texture], settings: { ...settings, scaling: 2 } }],
  ])('depends on %s', (_what, input) => {
    expect(contentKey(input)).not.toBe(key);
  });
});
