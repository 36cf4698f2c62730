import { readPrivate, writePrivate } from './identity/private-file.ts';

/** What a file for its owner alone holds; a new text where there is no such file. */
export async function keptText(path: string, newText: () => string): Promise<string> {
  const kept = await readPrivate(path);
  if (kept) return kept;
  const text = newText();
  await writePrivate(path, text);
  return text;
}
