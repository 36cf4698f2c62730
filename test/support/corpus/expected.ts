import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const converts = z.strictObject({
  /** Of the model as it is imported, geometry counted once. */
  triangles: z.number(),
  vertices: z.number(),
  materials: z.number(),
  /** Of the asset. */
  animations: z.number(),
  /** The codes of what the conversion warns of, each once. */
  warnings: z.array(z.string()),
});

const fails = z.strictObject({
  fails: z.enum(['input_refused', 'missing_files']),
  /** A part of the message. */
  cause: z.string().min(5),
  /** Why this model need not convert, in the words of whoever looked at it. */
  judged: z.string().min(10),
});

const expected = z.record(z.string(), z.union([converts, fails]));

/** What must come of each model of the package, by its path there. Files that are not named are of no format that can be converted. */
export type ExpectedOutcomes = z.output<typeof expected>;

export const expectedFile = new URL('./expected.json', import.meta.url);

export async function readExpected(): Promise<ExpectedOutcomes> {
  return expected.parse(JSON.parse(await readFile(expectedFile, 'utf8')));
}

/** What is told of a file that is none of the formats. */
export const NO_FORMAT = /is of no format that can be converted|is empty|, which cannot be read\./;
