import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSettings, type ModelFolder, parseSettingsFile } from '#lib/conversion';
import { parseJson } from '../../../lib/conversion/parse-json.ts';

const NAME = 'box.ConversionSettings.json';

const text = (value: string) => new TextEncoder().encode(value);

/** A folder that keeps the paths that it is asked for. */
function folder(files: Readonly<Record<string, string | Uint8Array>>): ModelFolder & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    find: async (path) => {
      asked.push(path);
      const content = files[path];
      if (content === undefined) return undefined;
      const bytes = typeof content === 'string' ? text(content) : content;
      return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
    },
  };
}

describe('the settings of a model', () => {
  it.each(['box.glb', 'models/box.glb', 'box.gltf', 'box'])('lie beside %s by its name', async (model) => {
    const found = await findSettings(folder({ [NAME]: '{"scaling": 2}' }), model);
    expect(found).toMatchObject({ given: { scaling: 2 }, settings: { scaling: 2, sceneGraphMode: 'dynamic' } });
    expect(found.overrides).toBeUndefined();
  });

  it('of a model with dots in its name have all of them but the last', async () => {
    const found = await findSettings(folder({ 'box.v2.ConversionSettings.json': '{}' }), 'box.v2.glb');
    expect(found.given).toEqual({});
  });

  it('are those of a model without settings where there is no file', async () => {
    const found = await findSettings(folder({ 'crate.ConversionSettings.json': '{"scaling": 2}' }), 'box.glb');
    expect(found).toMatchObject({ given: undefined, settings: { scaling: 1, sceneGraphMode: 'static' } });
  });

  it('are those that are given, without a look at the file', async () => {
    const beside = folder({ [NAME]: 'no JSON' });
    expect(await findSettings(beside, 'box.glb', { scaling: 3 })).toMatchObject({ settings: { scaling: 3 } });
    expect(beside.asked).not.toContain(NAME);
  });

  it.each([
    ['by its name', {}, 'box.MaterialOverrides.json', 'box.MaterialOverrides.json'],
    ['by the setting', { 'material-override': 'looks/a.json' }, 'looks/a.json', 'looks/a.json'],
    ['as Windows writes it', { 'material-override': '.\\looks\\a.json' }, 'looks/a.json', 'looks/a.json'],
  ])('have a material override file %s', async (_name, given, file, path) => {
    expect((await findSettings(folder({ [file]: '[]' }), 'box.glb', given)).overrides).toBe(path);
  });

  it('prefer the override file that they name', async () => {
    const files = { 'box.MaterialOverrides.json': '[]', 'a.json': '[]' };
    expect((await findSettings(folder(files), 'box.glb', { 'material-override': 'a.json' })).overrides).toBe('a.json');
  });

  it('fail by the name of an override file that is not there', async () => {
    const finding = findSettings(folder({ [NAME]: '{"material-override": "a.json"}' }), 'box.glb');
    await expect(finding).rejects.toMatchObject({ code: 'missing_files', message: expect.stringContaining('a.json') });
  });

  it('fail by the file and the place where it is no JSON, and by the key where it is wrong', async () => {
    await expect(findSettings(folder({ [NAME]: '{\n  "scaling": }' }), 'box.glb')).rejects.toMatchObject({
      code: 'input_refused',
      message: `${NAME} is no valid JSON: line 2, column 14: '}' is where a value should be.`,
    });
    await expect(findSettings(folder({ [NAME]: '{"scaling": 0}' }), 'box.glb')).rejects.toMatchObject({
      code: 'input_refused',
      message: `${NAME} cannot be used: 'scaling' is 0; allowed is a number above 0.`,
    });
  });

  it('are not read where the file is too long to be written by anybody', async () => {
    const finding = findSettings(folder({ [NAME]: new Uint8Array(2 ** 18 + 1) }), 'box.glb');
    await expect(finding).rejects.toMatchObject({
      code: 'limit',
      message: `${NAME} has 262145 bytes; the limit is 262144.`,
    });
  });
});

describe('a settings file', () => {
  it.each([
    ['plain', text('{"scaling": 2}')],
    ['with a byte order mark', text('\ufeff{"scaling": 2}')],
    ['in UTF-16, as Windows has it', new Uint8Array(Buffer.from('\ufeff{"scaling": 2}', 'utf16le'))],
    ['with space around everything', text('\r\n\t { "scaling" : 2 } \n')],
    ['with escapes', text('{"scal\\u0069ng": 2}')],
  ])('is read: %s', (_name, bytes) => {
    expect(parseSettingsFile(bytes, 'a.json')).toMatchObject({ given: { scaling: 2 }, settings: { scaling: 2 } });
  });

  it.each([
    ['', 'line 1, column 1: the end is where a value should be'],
    ['{', 'line 1, column 2: the end is where a key in quotation marks should be'],
    ['{scaling: 2}', "line 1, column 2: 's' is where a key in quotation marks should be"],
    ['{"scaling" 2}', "line 1, column 12: '2' is where ':' should be"],
    ['{"scaling": 2 "axis"', "line 1, column 15: '\"' is where ',' or '}' should be"],
    ['{"scaling": 2,}', "line 1, column 15: '}' is where a key in quotation marks should be"],
    ['{"scaling": 02}', "line 1, column 14: '2' is where ',' or '}' should be"],
    ['{"scaling": NaN}', "line 1, column 13: 'N' is where a value should be"],
    ['{"scaling": 2} // small', "line 1, column 16: '/' is where the end should be"],
    ['{\n "scaling": 2,\n "scaling": 3\n}', "line 3, column 2: the key 'scaling' is there twice"],
    [
      '{"metadataKeys": ["a\nb"]}',
      'line 1, column 19: the text that begins here has a character that has to be escaped',
    ],
    ['{"metadataKeys": ["a', 'line 1, column 19: the text that begins here does not end'],
    ['{"metadataKeys": ["\\x"]}', 'line 1, column 19: the text that begins here'],
    ['['.repeat(100_000), 'it is nested deeper than 64 levels'],
  ])('that is no JSON is refused with the place: %j', (content, why) => {
    const message = expect.stringContaining(why);
    const refusal = expect.objectContaining({ code: 'input_refused', message });
    expect(() => parseSettingsFile(text(content), 'a.json')).toThrow(refusal);
  });

  it('that is no text is refused', () => {
    const refusal = expect.objectContaining({ message: 'a.json is no valid JSON: it is no text in UTF-8.' });
    expect(() => parseSettingsFile(new Uint8Array([0x7b, 0xc3, 0x28]), 'a.json')).toThrow(refusal);
  });

  it.each(['{"__proto__": {"scaling": 2}}', '{"constructor": 1}'])(
    'has no way into what objects share: %s',
    (content) => {
      expect(() => parseSettingsFile(text(content), 'a.json')).toThrow(/is not a setting/);
      expect(Reflect.get({}, 'scaling')).toBeUndefined();
    },
  );

  it('is read as JSON is, whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.json().map(damaged), fc.string()), (content) => {
        const read = outcome(() => parseJson(text(content)));
        // Of a key that is there twice, JSON keeps the last.
        fc.pre(!String(read).includes('is there twice'));
        expect(read).toEqual(outcome(() => JSON.parse(content)));
      }),
      { numRuns: 1000 },
    );
  });
});

function damaged(json: string): string {
  const middle = Math.floor(json.length / 2);
  return json.slice(0, middle) + json.slice(middle + 1);
}

function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    return String(error).includes('is there twice') ? 'is there twice' : 'no JSON';
  }
}
