import type { Document } from '@gltf-transform/core';
import fc from 'fast-check';
import { expect } from 'vitest';
import { ConversionError, type ModelFile, parseConversionSettings } from '#lib/conversion';
import { detectFormat } from '../../../lib/conversion/detect-format.ts';
import type { ImportedModel } from '../../../lib/conversion/importer.ts';
import { importers } from '../../../lib/conversion/importers.ts';
import { limits } from '../../support/models/index.ts';
import { convertModel } from './convert-model.ts';

type Content = string | Uint8Array;

/** What the importer of a file's format, told by its content, makes of it. */
export async function importModel(
  content: Content,
  settings: Record<string, unknown> = {},
  changedLimits: Partial<typeof limits> = {},
): Promise<ImportedModel & { readonly format: string; readonly parts: ReturnType<typeof partsOf> }> {
  const file = memoryFile(content);
  const { id } = await detectFormat(file);
  const model = await importers[id]({
    file,
    readReference: async () => undefined,
    settings: parseConversionSettings(settings),
    limits: { ...limits, ...changedLimits },
  });
  return { ...model, format: id, parts: partsOf(model.document) };
}

/** Why a file is refused. */
export async function refusalOf(content: Content, changedLimits: Partial<typeof limits> = {}): Promise<string> {
  const error: unknown = await importModel(content, {}, changedLimits).then(
    () => 'It was imported.',
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConversionError)) throw error;
  expect(['input_refused', 'limit']).toContain(error.code);
  return error.message;
}

/** The mesh parts of a document in plain arrays; positions where the scene has them. */
export function partsOf(document: Document) {
  return document
    .getRoot()
    .listNodes()
    .flatMap((node) =>
      (node.getMesh()?.listPrimitives() ?? []).map((part) => {
        const [x, y, z] = node.getTranslation();
        const values = (name: string) => part.getAttribute(name)?.getArray();
        return {
          name: node.getName(),
          mode: part.getMode(),
          positions: Array.from(values('POSITION') ?? [], (value, i) => value + ([x, y, z][i % 3] ?? 0)),
          normals: values('NORMAL') && Array.from(values('NORMAL') ?? []),
          colors: values('COLOR_0') && Array.from(values('COLOR_0') ?? []),
          texcoords: values('TEXCOORD_0') && Array.from(values('TEXCOORD_0') ?? []),
          indices: part.getIndices() && Array.from(part.getIndices()?.getArray() ?? []),
        };
      }),
    );
}

/** Where the corners of a part's triangles are, whatever the numbers of its vertices. */
export function cornersOf(part: ReturnType<typeof partsOf>[number] | undefined): number[] {
  const positions = part?.positions ?? [];
  return part?.indices?.flatMap((vertex) => positions.slice(3 * vertex, 3 * vertex + 3)) ?? positions;
}

/** Every hundredth of a file that was cut off there must be refused; `slack` bytes at its end may be missed by nobody. */
export async function refusesEveryTruncation(content: Content, slack = 1): Promise<void> {
  const bytes = Buffer.from(content);
  for (let percent = 0; percent < 100; percent += 1) {
    const cut = bytes.subarray(0, Math.min(bytes.length - slack, Math.floor((bytes.length * percent) / 100)));
    expect(await refusalOf(cut), `at ${percent} %`).toMatch(/\w/);
  }
}

/** Whatever bytes are changed, a model converts and is valid, or fails with its cause. */
export async function survivesChangedBytes(name: string, content: Content): Promise<void> {
  const bytes = Buffer.from(content);
  const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(changes, fc.nat(bytes.length), async (changed, length) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changed) copy[at] = value;
      const cut = length % 3 === 0 ? copy.subarray(0, length) : copy;
      const { outcome } = await convertModel({ [name]: cut }, {});
      if (outcome.status === 'failed') expect(outcome.error.code).toMatch(/^(input_refused|limit)$/);
      else expect(outcome.validation.numErrors).toBe(0);
    }),
    { numRuns: 40 },
  );
}

/** Triangles over vertices in 32 bits, as every format holds them. */
export const anyMesh = fc
  .array(fc.tuple(coordinate(), coordinate(), coordinate()), { minLength: 3, maxLength: 40 })
  .chain((vertices) => {
    const corner = fc.nat(vertices.length - 1);
    const faces = fc.array(fc.tuple(corner, corner, corner), { minLength: 1, maxLength: 40 });
    return fc.record({ vertices: fc.constant(vertices), faces });
  });

function coordinate() {
  return fc.float({ min: -1000, max: 1000, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
}

function memoryFile(content: Content): ModelFile {
  const bytes = new Uint8Array(Buffer.from(content));
  return { size: bytes.length, read: async (offset, length) => bytes.slice(offset, offset + length) };
}
