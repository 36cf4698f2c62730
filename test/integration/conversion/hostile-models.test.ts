import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BulkConverter } from '../../support/bulk-converter.ts';
import { boxGlb, boxGltf, type ModelFiles, manyNodesGlb, pointsGlb, quadGlb, zip } from '../../support/models/index.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Whatever takes longer on a busy machine would take the service's time from everybody else. */
const DEADLINE_SECONDS = 60;

let converter: BulkConverter;
beforeAll(async () => {
  converter = await BulkConverter.start(DEADLINE_SECONDS);
});
afterAll(async () => {
  await converter[Symbol.asyncDispose]();
});

const limit = (name: string) => ({ status: 'failed', error: { code: 'limit', limit: name } });
const refused = (cause: string) => ({
  status: 'failed',
  error: { code: 'input_refused', message: expect.stringContaining(cause) },
});

describe('A hostile glTF', () => {
  test.for([
    ['positions of NaN', pointsGlb([0, 0, 0, Number.NaN, 0, 0]), refused('no number (NaN)')],
    ['infinite positions', pointsGlb([0, 0, 0, Number.NEGATIVE_INFINITY, 0, 0]), refused('no number (-Infinity)')],
    ['nodes in a circle', boxGlb({ nodes: [{ children: [1] }, { children: [0], mesh: 0 }] }), refused('own ancestors')],
    [
      'an infinite translation',
      withJson('"mesh":0', '"mesh":0,"translation":[1e999,0,0]'),
      refused('nodes[0].translation'),
    ],
    ['an image of 20,000 x 20,000 pixels', quadGlb(hugePng(20_000)), limit('texturePixels')],
    ['accessors of 2^53 elements', boxGlb({ accessors: [huge(2 ** 53 - 1)] }), refused('accessor')],
    [
      'more elements than there is memory',
      boxGlb({ accessors: [huge(2 ** 40)], meshes: [{ primitives: [{ attributes: { POSITION: 0 } }] }] }),
      limit('vertices'),
    ],
    [
      'JSON that is nested deep',
      Buffer.from(`{"asset":{"version":"2.0"},"a":${'['.repeat(5e6)}`),
      { status: 'failed' },
    ],
    ['JSON of a million nodes', boxGlb({ nodes: Array.from({ length: 1e6 }, () => ({})) }), limit('nodes')],
  ] as const)('with %s is refused', async ([, model, outcome]) => {
    expect(await converter.convertFiles({ 'model.glb': model })).toMatchObject(outcome);
  });

  test.for([
    ['as large as numbers go', pointsGlb([0, 0, 0, 3e38, 3e38, 0, -3e38, 0, 3e38])],
    ['as small as numbers go', pointsGlb([0, 0, 0, 1e-45, 0, 0, 0, 1e-45, 0])],
    ['all in one place', pointsGlb([1, 2, 3, 1, 2, 3, 1, 2, 3], { mode: 4 })],
  ] as const)('may have positions that are %s', async ([, model]) => {
    const outcome = await converter.convertFiles({ 'model.glb': model });
    if (outcome.status === 'failed') expect(outcome.error.code).toBe('input_refused');
    else expect(outcome).toMatchObject({ status: 'succeeded', validation: { numErrors: 0 } });
  });

  test('may have a hundred thousand nodes', async () => {
    const outcome = await converter.convertFiles({ 'model.glb': manyNodesGlb(100_000) });
    expect(outcome).toMatchObject({ status: 'succeeded', validation: { numErrors: 0 } });
  });
});

describe('A hostile model of another format', () => {
  const laughs = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('');
  const entities = `<!DOCTYPE COLLADA [<!ENTITY l0 "lol">${laughs}]>`;
  const outside = '<!DOCTYPE COLLADA [<!ENTITY l30 SYSTEM "file:///etc/passwd">]>';
  const collada = (doctype: string) =>
    Buffer.from(
      `<?xml version="1.0"?>${doctype}<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">` +
        '<asset><title>&l30;</title></asset></COLLADA>',
    );
  const model3mf = (data: Uint8Array, claimed?: number) =>
    zip([
      { name: '[Content_Types].xml', data: Buffer.from('<Types/>') },
      {
        name: '_rels/.rels',
        data: Buffer.from(
          '<Relationships><Relationship Target="/3D/3dmodel.model" Id="r" ' +
            'Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>',
        ),
      },
      { name: '3D/3dmodel.model', data, ...(claimed !== undefined && { claimed }) },
    ]);
  const bytes = Buffer.alloc(300 * 2 ** 20, 0x20);

  const hostile: [string, ModelFiles][] = [
    ['a DAE with a billion laughs', { 'model.dae': collada(entities) }],
    ['a DAE with an entity that lies elsewhere', { 'model.dae': collada(outside) }],
    ['a 3MF with a billion laughs', { 'model.3mf': model3mf(Buffer.from(`${entities}<model>&l30;</model>`)) }],
    ['a 3MF that unpacks to 300 MB of nothing', { 'model.3mf': model3mf(bytes) }],
    ['a 3MF that lies about its size', { 'model.3mf': model3mf(bytes, 1000) }],
    ['a 3MF that claims to be of 4 GB', { 'model.3mf': model3mf(Buffer.from('<model/>'), 0xffff_fffe) }],
    [
      'a 3MF whose model leads out of it',
      { 'model.3mf': zip([{ name: '../../3D/3dmodel.model', data: bytes.subarray(0, 9) }]) },
    ],
    ['an OFF that promises a billion vertices', { 'model.off': Buffer.from('OFF\n1000000000 1000000000 0\n0 0 0\n') }],
    ['a PLY that promises a billion vertices', { 'model.ply': Buffer.from(plyHeader(1e9)) }],
    [
      'an STL that promises four billion triangles',
      { 'model.stl': Buffer.concat([Buffer.alloc(80), Buffer.alloc(54, 255)]) },
    ],
    ['an OBJ with an index far beyond', { 'model.obj': Buffer.from('v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 2147483648\n') }],
    ['an OBJ of one line of 50 MB', { 'model.obj': Buffer.from(`v 0 0 0\nf ${'1 '.repeat(25e6)}`) }],
    ['an XYZ of NaN', { 'model.xyz': Buffer.from('nan nan nan\n'.repeat(9)) }],
  ];

  test.for(hostile)('as %s is refused, soon', async ([, files]) => {
    const outcome = await converter.convertFiles(files);
    expect(outcome).toMatchObject({ status: 'failed' });
    if (outcome.status === 'failed') {
      expect(outcome.error.code).toMatch(/^(input_refused|limit)$/);
      expect(outcome.error.message).not.toMatch(/root:|lollol/);
    }
  });
});

function withJson(text: string, other: string): Uint8Array {
  return Buffer.from(Buffer.from(boxGltf()).toString().replace(text, other));
}

function huge(count: number) {
  return { componentType: 5126, count, type: 'VEC3' };
}

function plyHeader(vertices: number): string {
  return `ply\nformat binary_little_endian 1.0\nelement vertex ${vertices}\nproperty float x\nproperty float y\nproperty float z\nend_header\n`;
}

/** A PNG whose header says how large it is, and which has hardly any content. */
function hugePng(side: number): Uint8Array {
  const header = Buffer.from('IHDR\0\0\0\0\0\0\0\0\x08\x02\0\0\0', 'latin1');
  header.writeUInt32BE(side, 4);
  header.writeUInt32BE(side, 8);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(header));
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\r', 'latin1'), header, check, Buffer.alloc(12)]);
}
