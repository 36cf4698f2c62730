import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { bendingTubeGlb, manyNodesGlb, sheetGlb, type TextureImage, texturedBallGlb } from '../support/models/index.ts';

/** glTF models of a folder and everything below it, as paths. */
export async function modelsIn(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true });
  return files
    .filter((file) => /\.(gltf|glb)$/i.test(file))
    .map((file) => join(folder, file))
    .sort();
}

/** Writes models of the kinds that take long, one of each, and answers with their paths. */
export async function writeLargeModels(folder: string): Promise<string[]> {
  const models = {
    'sheet of 500,000 triangles': sheetGlb(500_000),
    'scene of 10,000 nodes': manyNodesGlb(10_000),
    'skin of 100,000 triangles, bent': bendingTubeGlb(100_000, 24, 300),
    'ball with PNGs of 2,048 px': await texturedBall(2048, 'png'),
    'ball with JPEGs of 4,096 px': await texturedBall(4096, 'jpeg'),
  };
  const written = Object.entries(models).map(async ([name, bytes]) => {
    const path = join(folder, `${name}.glb`);
    await writeFile(path, bytes);
    return path;
  });
  return await Promise.all(written);
}

/** Of a model and what lies beside it with its name: near enough to tell small from large. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

async function texturedBall(size: number, format: 'png' | 'jpeg'): Promise<Uint8Array> {
  const [colour, surface, normal] = [
    await clouds(size, format),
    await clouds(size, format),
    await clouds(size, format),
  ];
  return texturedBallGlb({ colour, surface, normal });
}

/** An image that looks and compresses like a photograph: soft shapes with a little grain. */
async function clouds(size: number, format: 'png' | 'jpeg'): Promise<TextureImage> {
  const noise = (side: number, sigma: number) =>
    sharp({
      create: {
        width: side,
        height: side,
        channels: 3,
        background: 'grey',
        noise: { type: 'gaussian', mean: 128, sigma },
      },
    });
  const shapes = await noise(size / 32, 60)
    .png()
    .toBuffer();
  const grain = await noise(size, 5).png().toBuffer();
  const soft = await sharp(shapes).resize(size, size, { kernel: 'cubic' }).png().toBuffer();
  const image = await sharp(soft)
    .composite([{ input: grain, blend: 'soft-light' }])
    .png()
    .toBuffer();
  const bytes = await (format === 'png' ? sharp(image).png() : sharp(image).jpeg({ quality: 92 })).toBuffer();
  return { bytes: new Uint8Array(bytes), mimeType: `image/${format}` };
}
