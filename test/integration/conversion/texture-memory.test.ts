import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { convert, parseConversionSettings } from '#lib/conversion';
import { dds, limits, modelFolder, quadGlb } from '../../support/models/index.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Below what an image of 81 million pixels takes, and above what a small model does. */
const MEMORY_BYTES = 280 * 2 ** 20;
const SIDE = 9000;

describe('a small file of a huge image', () => {
  it.each([
    ['a PNG', hugePng],
    ['a DDS', hugeDds],
  ])('ends at the limit of memory, though it is not in the heap that it is decoded: %s', async (_name, make) => {
    await using folder = await modelFolder({ 'model.glb': quadGlb(make()) });
    const outcome = await convert({
      directory: folder.input,
      file: 'model.glb',
      outputDirectory: folder.output,
      settings: parseConversionSettings(undefined),
      limits: { ...limits, texturePixels: 2 ** 28, memoryBytes: MEMORY_BYTES, timeoutSeconds: 100 },
    });
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'memory', limit: 'memoryBytes' } });
  });
});

/** Black, of hardly any bytes. */
function hugePng(): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc((3 * SIDE + 1) * SIDE))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** One block, and nothing of the five million others. */
function hugeDds(): Uint8Array {
  return dds({ width: SIDE, height: SIDE, format: 'DXT1', data: Buffer.alloc(8, 0x55) });
}

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
