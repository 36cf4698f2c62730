import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { errorOf } from './convert-model.ts';
import { importedDocument } from './imported-document.ts';
import { mesh, model, pack } from './threemf-models.ts';

const size = [0.01, 0.03, 0.02];

describe('an archive', () => {
  it('may be a ZIP64', async () => {
    const split = Buffer.concat([Buffer.from('PK00', 'latin1'), zip64(packed())]);
    for (const archive of [zip64(packed()), split]) {
      expect((await importedDocument({ 'm.3mf': archive })).size).toEqual(size);
    }
  });

  it('may have something before it and after it', async () => {
    const split = Buffer.concat([Buffer.from('PK00', 'latin1'), packed()]);
    expect((await importedDocument({ 'm.3mf': split })).size).toEqual(size);
    expect((await importedDocument({ 'm.3mf': Buffer.concat([packed(), Buffer.alloc(100)]) })).size).toEqual(size);
  });

  it('may begin with any of its files, and begin their names at a root', async () => {
    const first = { '2D/slices.bin': new Uint8Array(9000), '/3D/3dmodel.model': strToU8(model(mesh(1))) };
    const content = { '[Content_Types].xml': strToU8('<Types/>'), '/_rels/.rels': strToU8('<Relationships/>') };
    expect((await importedDocument({ 'm.3mf': zipSync({ ...first, ...content }, { level: 0 }) })).size).toEqual(size);
  });

  it('may have a model of any name, and no list of its parts', async () => {
    const custom = pack('<x/>', { '3D/3dmodel.model': new Uint8Array(), 'else/where.custom': strToU8(model(mesh(1))) });
    const relations =
      '<Relationships><Relationship Target="else/Where.custom" Type="http://x.org/3dmodel"/></Relationships>';
    const other = zipSync({ '_rels/.rels': strToU8(relations), 'else/where.custom': strToU8(model(mesh(1))) });
    expect((await importedDocument({ 'm.3mf': other })).size).toEqual(size);
    expect((await errorOf({ 'm.3mf': custom })).code).toBe('input_refused');
    const bare = zipSync({ '3D/Objects/a.model': strToU8('<x/>'), '3D/3dmodel.model': strToU8(model(mesh(1))) });
    expect((await importedDocument({ 'm.3mf': bare })).size).toEqual(size);
  });

  const others: [string, Record<string, string>, string][] = [
    ['an office document', { '[Content_Types].xml': '', 'word/document.xml': '' }, 'an office document without'],
    ['a USDZ', { 'model.usdc': '' }, 'a USDZ without'],
    ['a model and its files', { 'car/car.obj': '', 'car/car.mtl': '' }, "upload the model ('car/car.obj')"],
    ['anything else', { 'readme.txt': '' }, 'an archive without'],
  ];
  it.each(others)('is refused as %s', async (_what, files, why) => {
    const archive = zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
    expect(await errorOf({ 'm.3mf': archive })).toMatchObject({
      code: 'input_refused',
      message: expect.stringContaining(why),
    });
  });

  it('is refused for a method of packing that is not supported, for encryption and for damage, by name', async () => {
    const changed = async (change: (archive: Buffer, entry: number, header: number) => void) => {
      const archive = packed();
      const entry = archive.lastIndexOf('3D/3dmodel.model') - 46;
      change(archive, entry, archive.readUInt32LE(entry + 42));
      return (await errorOf({ 'm.3mf': archive })).message;
    };
    expect(await changed((archive, entry) => archive.writeUInt16LE(9, entry + 10))).toContain('(9, Deflate64)');
    expect(await changed((archive, entry) => archive.writeUInt16LE(1, entry + 8))).toContain('is encrypted');
    expect(await changed((archive, entry) => archive.writeUInt32LE(1, entry + 16))).toContain('is damaged');
    expect(await changed((archive, _entry, header) => archive.writeUInt32LE(1, header))).toContain(
      'not where it should be',
    );
  });

  it('is refused where its directory lies beyond it, however large its numbers are', async () => {
    for (const [field, why] of [
      [32, 'damaged at entry'],
      [40, 'beyond its end'],
      [48, 'damaged'],
    ] as const) {
      const archive = zip64(packed());
      const record = archive.indexOf(Buffer.from('PK\x06\x06', 'latin1'));
      archive.writeBigUInt64LE(2n ** 63n, record + field);
      expect((await errorOf({ 'm.3mf': archive })).message).toContain(why);
    }
  });
});

function packed(): Buffer {
  return Buffer.from(pack(model(mesh(1))));
}

/** The same archive with every number in its 64 bits. */
function zip64(archive: Buffer): Buffer {
  const end = archive.length - 22;
  const start = archive.readUInt32LE(end + 16);
  const count = archive.readUInt16LE(end + 10);
  const entries: Buffer[] = [];
  for (let at = start, i = 0; i < count; i += 1) {
    const length = 46 + archive.readUInt16LE(at + 28);
    const entry = Buffer.from(archive.subarray(at, at + length));
    const extra = Buffer.alloc(28);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    for (const [j, field] of [24, 20, 42].entries()) {
      extra.writeBigUInt64LE(BigInt(entry.readUInt32LE(field)), 4 + 8 * j);
      entry.writeUInt32LE(0xffffffff, field);
    }
    entry.writeUInt16LE(28, 30);
    entries.push(entry, extra);
    at += length + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  const directory = Buffer.concat(entries);
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  for (const [field, value] of [
    [24, count],
    [32, count],
    [40, directory.length],
    [48, start],
  ] as const) {
    record.writeBigUInt64LE(BigInt(value), field);
  }
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(start + directory.length), 8);
  locator.writeUInt32LE(1, 16);
  const last = Buffer.alloc(22, 255);
  last.write('PK\x05\x06\0\0\0\0', 'latin1');
  last.writeUInt16LE(0, 20);
  return Buffer.concat([archive.subarray(0, start), directory, record, locator, last]);
}
