import { refused } from '../reading/refused.ts';

/** Characters that the library copies out of names as they are, and JSON does not have. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f]/g;

/**
 * What the library wrote as JSON, whatever its names are made of.
 * @throws ConversionError `input_refused` where its numbers are none
 */
export function parseAssimpJson<T>(bytes: Uint8Array): T {
  const text = new TextDecoder().decode(bytes).replaceAll(CONTROL, ' ');
  try {
    const json: T = JSON.parse(text);
    return json;
  } catch {
    throw refused('it has positions or other values that are no numbers.');
  }
}
