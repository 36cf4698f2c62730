import { describe, expect, it } from 'vitest';
import { ConversionError, conversionSettings, parseConversionSettings } from '#lib/conversion';

describe('conversion settings', () => {
  it('have the defaults of the contract', () => {
    expect(parseConversionSettings({})).toEqual({ scaling: 1, recenterToOrigin: false, deduplicateMaterials: true });
  });

  it('keep what is given', () => {
    const given = { scaling: 0.01, recenterToOrigin: true, deduplicateMaterials: false };
    expect(parseConversionSettings(given)).toEqual(given);
    expect(conversionSettings.parse(given)).toEqual(given);
  });

  it.each([
    [{ scaling: 0 }, "'scaling' is 0; allowed is a number above 0."],
    [{ scaling: '2' }, `'scaling' is "2"; allowed is a number above 0.`],
    [{ scaling: Number.NaN }, "'scaling' is NaN; allowed is a number above 0."],
    [{ recenterToOrigin: 'yes' }, `'recenterToOrigin' is "yes"; allowed is true or false.`],
    [{ deduplicateMaterials: null }, "'deduplicateMaterials' is null; allowed is true or false."],
    [{ scale: 2 }, "'scale' is not a setting; allowed are scaling, recenterToOrigin, deduplicateMaterials."],
    ['fast', '"fast" is not an object of settings.'],
    [null, 'null is not an object of settings.'],
    [[], '[] is not an object of settings.'],
  ])('refuse %j and say what is allowed', (value, message) => {
    const refusal = expect.objectContaining({ code: 'input_refused', message: expect.stringContaining(message) });
    expect(() => parseConversionSettings(value)).toThrow(refusal);
    expect(() => parseConversionSettings(value)).toThrow(ConversionError);
  });

  it('name every wrong key at once', () => {
    expect(() => parseConversionSettings({ scaling: -1, colour: 'red' })).toThrow(
      /'scaling' is -1.*'colour' is not a setting/,
    );
  });
});
