import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PreparedIdentity, prepareIdentity } from '../../../infra/local/identity/index.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/stack.ts';

const program = fileURLToPath(new URL('../../../infra/local/token.ts', import.meta.url));
const AUTHORITY = 'https://localhost:24680';

let directory: TemporaryDirectory;
let known: PreparedIdentity;
beforeEach(async () => {
  directory = await temporaryDirectory();
  known = await prepareIdentity(directory.path);
  await writeEndpoints({ authority: AUTHORITY, tenantId: known.tenantId, app: 'http://127.0.0.1:7071' });
});
afterEach(() => directory.remove());

const endpointsFile = () => join(directory.path, 'endpoints.json');
const writeEndpoints = (endpoints: unknown) => writeFile(endpointsFile(), JSON.stringify(endpoints));

/** `npm run token` on the stack of this test. */
function token(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, '--directory', directory.path, ...options], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });
}

const verify = (jwt: string) =>
  jwtVerify(jwt.trim(), known.signingKey.publicKey, {
    issuer: `${AUTHORITY}/${known.tenantId}/v2.0`,
    audience: 'api://remote-rendering-functions',
  });

describe('npm run token', () => {
  test.each([
    ['client', 'RemoteRendering.Client'],
    ['administrator', 'RemoteRendering.Administrator'],
  ])('prints a token of a %s and nothing else', async (role, claim) => {
    const { code, stdout, stderr } = await token('--role', role, '--name', 'ada');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { payload } = await verify(stdout);
    expect(payload).toMatchObject({ roles: [claim], name: 'ada', preferred_username: 'ada@local' });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
  });

  test('lets the token hold as long as it is told', async () => {
    const { payload } = await verify((await token('--role', 'client', '--name', 'A.b_c-9', '--minutes', '5')).stdout);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(300);
    expect(payload['name']).toBe('A.b_c-9');
  });

  test('says what to do when no stack runs', async () => {
    await rm(endpointsFile());
    const { code, stdout, stderr } = await token('--role', 'client', '--name', 'ada');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(`No stack runs in ${directory.path}: start it with "npm start", then ask again.\n`);
  });

  test('says what to do when the stack is one without an authority', async () => {
    await writeEndpoints({ app: 'http://127.0.0.1:7071' });
    const { code, stderr } = await token('--role', 'client', '--name', 'ada');
    expect(code).toBe(1);
    expect(stderr).toContain('start it with "npm start"');
  });

  test.each(['the key is gone', 'the tenant is another'])('says what to do when %s', async (what) => {
    if (what === 'the key is gone') await rm(join(directory.path, 'identity'), { recursive: true });
    else await writeEndpoints({ authority: AUTHORITY, tenantId: 'c0ffee00-0000-4000-8000-000000000000' });
    const { code, stdout, stderr } = await token('--role', 'client', '--name', 'ada');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('restart it with "npm start"');
  });

  test.each([
    [[], '--role'],
    [['--role', 'client'], '--name'],
    [['--name', 'ada'], '--role'],
    [['--role', 'owner', '--name', 'ada'], '--role'],
    [['--role', 'client', '--name', ''], '--name'],
    [['--role', 'client', '--name', 'ada lovelace'], '--name'],
    [['--role', 'client', '--name', 'a'.repeat(65)], '--name'],
    [['--role', 'client', '--name', 'ada\n'], '--name'],
    [['--role', 'client', '--name', 'ada', '--minutes', '0'], '--minutes'],
    [['--role', 'client', '--name', 'ada', '--minutes', '1441'], '--minutes'],
    [['--role', 'client', '--name', 'ada', '--minutes', '1.5'], '--minutes'],
    [['--role', 'client', '--name', 'ada', '--lifetime', '5'], '--lifetime'],
    [['--role', 'client', '--name', 'ada', 'bob'], 'bob'],
  ])('refuses the command line %j', async (options, named) => {
    const { code, stdout, stderr } = await token(...options);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(named);
    expect(stderr).toContain('Try --help.');
  });
});
