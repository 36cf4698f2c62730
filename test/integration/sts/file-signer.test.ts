import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { inspect, promisify } from 'node:util';
import fc from 'fast-check';
import { decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { fileSigner, type StsError } from '#lib/sts';
import { type FileSignerGround, signerGround } from './signer-ground.ts';

const STS = fileURLToPath(new URL('../../../lib/sts/index.ts', import.meta.url));
const fileOfKeys = z.looseObject({
  keys: z.array(z.looseObject({ kid: z.string(), privateKey: z.string(), lifetimeSeconds: z.number() })),
});

let ground: FileSignerGround;
beforeEach(async () => {
  ground = await signerGround();
});
afterEach(() => ground[Symbol.asyncDispose]());

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const stored = async () => fileOfKeys.parse(JSON.parse(await readFile(ground.path, 'utf8')));
const kidOf = (token: string) => decodeProtectedHeader(token).kid ?? '';

/** What signing fails with; the same is to come of asking for the keys. */
async function failure(): Promise<StsError> {
  const signer = ground.signer();
  await expect(signer.publicKeys()).rejects.toMatchObject({ name: 'StsError', code: 'key_file' });
  return signer.sign({}).then(
    () => expect.unreachable('It signed.'),
    (error) => error,
  );
}

describe('the file of keys', () => {
  it('is made at the first use, for its owner alone, with its directory', async () => {
    await ground.signer().sign({});
    expect(await modeOf(ground.path)).toBe('600');
    expect(await modeOf(dirname(ground.path))).toBe('700');
    expect((await readdir(dirname(ground.path))).sort()).toEqual(['keys.json', 'keys.json.lock']);
    expect((await stat(`${ground.path}.lock`)).size).toBe(0);
  });

  it('is made for its owner alone even over a draft that a killed process left open to all', async () => {
    await ground.signer().sign({});
    await rm(ground.path);
    await writeFile(`${ground.path}~`, 'half a', { mode: 0o666 });
    await ground.signer().sign({});
    expect(await modeOf(ground.path)).toBe('600');
    expect((await stored()).keys).toHaveLength(1);
  });

  it('loses the private key with the last of what that one signed', async () => {
    const signer = ground.signer();
    await signer.sign({});
    const [first] = (await stored()).keys;
    ground.pass(ground.keySeconds);
    await signer.sign({});
    ground.pass(600 + ground.lifetimeSeconds + 300);
    await signer.publicKeys();
    expect(await readFile(ground.path, 'utf8')).not.toContain(first?.kid);
    expect((await stored()).keys).toHaveLength(1);
  });

  it('keeps a key for the longer lifetime that its tokens had before the setting was lowered', async () => {
    await ground.signer().sign({});
    const { path, now, pass } = ground;
    const signer = fileSigner({ path, now, lifetimeSeconds: 60, keyDays: 30, isRevoked: async () => false });
    const kid = kidOf(await signer.sign({}));
    pass(ground.keySeconds);
    await signer.publicKeys();
    pass(600);
    await signer.sign({});
    pass(ground.lifetimeSeconds);
    expect(await signer.publicKey(kid)).toBeDefined();
    pass(300);
    expect(await signer.publicKey(kid)).toBeUndefined();
  });

  it.each([0o640, 0o604, 0o644, 0o660])('is refused with mode %o, with what to do', async (mode) => {
    await ground.signer().sign({});
    const before = await readFile(ground.path, 'utf8');
    await chmod(ground.path, mode);
    const { message } = await failure();
    expect(message).toContain(ground.path);
    expect(message).toContain(`mode ${mode.toString(8)}`);
    expect(message).toContain('chmod 600');
    expect(await readFile(ground.path, 'utf8')).toBe(before);
  });

  it.each([
    ['empty', () => ''],
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['no object', () => '[]'],
    ['without keys', () => '{"version":1,"keys":[]}'],
    ['of another version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['changed in a kid', (text: string) => text.replace(/"kid": "[0-9A-F]{4}/, '"kid": "0000')],
    ['changed in a time', (text: string) => text.replace(/"signsFrom": "[^"]+"/, '"signsFrom": "soon"')],
    ['of a key too short', (text: string) => withKey(text, 1024)],
  ])('is refused where it is %s, and stays as it is', async (_, damage) => {
    await ground.signer().sign({});
    const damaged = damage(await readFile(ground.path, 'utf8'));
    await writeFile(ground.path, damaged);
    const error = await failure();
    expect(error.message).toContain(`${ground.path} are damaged`);
    expect(error.message).toContain('move the file away');
    expect(await readFile(ground.path, 'utf8')).toBe(damaged);
  });

  it('tells nothing of a private key in any error', async () => {
    await ground.signer().sign({});
    const text = await readFile(ground.path, 'utf8');
    const secret = text.slice(text.indexOf('PRIVATE KEY') + 20, text.indexOf('PRIVATE KEY') + 60);
    await writeFile(ground.path, text.replace('"version": 1,', ''));
    expect(inspect(await failure(), { depth: 10, showHidden: true })).not.toContain(secret);
    // A parser quotes where it fails: right in the key.
    await writeFile(ground.path, text.replace(/\\n-----END/, '" -----END'));
    const error = await failure();
    const base64 = text.match(/[A-Za-z0-9+/]{24,}/g) ?? [];
    expect(base64.length).toBeGreaterThan(10);
    for (const part of base64) expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(part.slice(0, 12));
    expect(inspect(ground.signer(), { depth: 10, showHidden: true })).not.toContain('PRIVATE KEY');
  });

  it('is an error where it cannot be written', async () => {
    await writeFile(join(ground.directory, 'private'), 'a file where the directory is to be');
    await expect(ground.signer().sign({})).rejects.toMatchObject({ code: 'key_file' });
  });

  it('is a new one where the old was moved away, and the old one back where it was copied back', async () => {
    const signer = ground.signer();
    const first = kidOf(await signer.sign({}));
    const copy = join(ground.directory, 'copy.json');
    await copyFile(ground.path, copy);
    await rm(ground.path);
    ground.pass(2);
    expect(kidOf(await signer.sign({}))).not.toBe(first);
    await copyFile(copy, ground.path);
    ground.pass(2);
    expect(kidOf(await signer.sign({}))).toBe(first);
  });
});

describe('the signer', () => {
  it('passes on why it cannot tell what is revoked, rather than take a key for good', async () => {
    const { path, now } = ground;
    const isRevoked = () => Promise.reject(new Error('The table does not answer.'));
    await ground.signer().sign({});
    const signer = fileSigner({ path, now, lifetimeSeconds: 60, keyDays: 1, isRevoked });
    await expect(signer.sign({})).rejects.toThrow('The table does not answer.');
    await expect(signer.publicKeys()).rejects.toThrow('The table does not answer.');
  });

  it('asks about each key once a second, whatever comes in', async () => {
    const { path, now } = ground;
    const asked: string[] = [];
    const isRevoked = async (kid: string) => asked.push(kid) < 0;
    const signer = fileSigner({ path, now, lifetimeSeconds: 60, keyDays: 1, isRevoked });
    const { kid } = (await signer.publicKeys())[0] ?? {};
    ground.pass(1);
    for (const stranger of ['0'.repeat(40), '1'.repeat(40)]) await signer.publicKey(stranger);
    await Promise.all(Array.from({ length: 50 }, () => signer.sign({})));
    expect(asked).toEqual([kid]);
  });

  it('finds a key that another has just made, before it would look again', async () => {
    const signer = ground.signer();
    await signer.publicKeys();
    await rm(ground.path);
    const [jwk] = await ground.signer().publicKeys();
    expect(await signer.publicKey(jwk?.kid ?? '')).toEqual(jwk);
  });

  it('looks again where the clock was set back', async () => {
    const signer = ground.signer();
    const kid = kidOf(await signer.sign({}));
    ground.revoke(kid);
    ground.pass(-3600);
    expect(kidOf(await signer.sign({}))).not.toBe(kid);
  });

  it('writes payloads that plain base64 reads too, as the original Python library does', async () => {
    const signer = ground.signer();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.string({ unit: fc.constantFrom(...'>?~ü\x7f') }),
        async (sub, jti) => {
          const [, payload = ''] = (await signer.sign({ sub, jti })).split('.');
          expect(payload).toMatch(/^[A-Za-z0-9]+$/);
          expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toEqual({ sub, jti });
        },
      ),
    );
  });

  it('waits for a lock that another process holds, and gets it when that process is killed', async () => {
    await ground.signer().publicKeys();
    await rm(ground.path);
    const holder = new DatabaseSync(`${ground.path}.lock`);
    holder.exec('BEGIN EXCLUSIVE');
    let signed = false;
    const attempts = vi.spyOn(DatabaseSync.prototype, 'exec');
    const token = ground.signer().sign({});
    const done = token.then(() => {
      signed = true;
    });
    const refusals = () => attempts.mock.results.filter(({ type }) => type === 'throw');
    await vi.waitFor(() => expect(refusals().length).toBeGreaterThan(2));
    expect(signed).toBe(false);
    holder.close();
    await done;
    attempts.mockRestore();
    expect((await stored()).keys[0]?.kid).toBe(kidOf(await token));
  });

  it('shares one file among processes that start at the same moment: no key is lost', async () => {
    const script = `
      import { fileSigner } from ${JSON.stringify(STS)};
      const signer = fileSigner({ path: process.argv[1], now: () => new Date(), lifetimeSeconds: 60, keyDays: 1, isRevoked: async () => false });
      process.stdout.write(await signer.sign({ sub: 'ada' }));`;
    const runs = Array.from({ length: 4 }, () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, ground.path], { cwd: process.cwd() }),
    );
    const kids = (await Promise.all(runs)).map(({ stdout }) => kidOf(stdout));
    expect(new Set(kids).size).toBe(1);
    expect((await stored()).keys.map(({ kid }) => kid)).toEqual([kids[0]]);
  });
});

/** The file with a good key of another size in it. */
function withKey(text: string, modulusLength: number): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const parsed = fileOfKeys.parse(JSON.parse(text));
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return JSON.stringify({ ...parsed, keys: parsed.keys.map((key) => ({ ...key, privateKey: pem })) });
}
