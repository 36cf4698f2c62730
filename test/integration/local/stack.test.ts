import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { isAlive, type ProcessIdentity, processIdentity } from '#lib/compute';
import { prepareCertificates } from '../../../infra/local/certificates.ts';
import { readEndpoints, type StackEndpoints } from '../../../infra/local/endpoints.ts';
import { connectionString } from '../../../infra/local/storage-account.ts';
import { trustCertificate } from '../../../infra/local/trusted-certificates.ts';
import { readApplications } from '../../support/callers.ts';
import { processesOf } from '../../support/processes.ts';
import { startSecureStorage, temporaryDirectory } from '../../support/stack.ts';

const program = fileURLToPath(new URL('../../support/stub-stack.ts', import.meta.url));
const recordedProcesses = z.object({ children: z.array(processIdentity) });
const within = { timeout: 15_000, interval: 50 };

interface Run {
  readonly process: ChildProcess;
  readonly directory: string;
  /** What it has printed to stderr so far. */
  printed(): string;
  readonly exited: Promise<number | null>;
}

const runs: Run[] = [];
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.process.kill('SIGTERM');
    await run.exited;
  }
});

/** A stack in a process group of its own, as a shell starts one. */
function run(directory: string, ...options: readonly string[]): Run {
  return runIn(process.env, directory, ...options);
}

function runIn(env: NodeJS.ProcessEnv, directory: string, ...options: readonly string[]): Run {
  const child = spawn(process.execPath, [program, '--directory', directory, ...options], {
    env,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let printed = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const exited = once(child, 'close').then(([code]) => z.number().nullable().parse(code));
  const started = { process: child, directory, printed: () => printed, exited };
  runs.push(started);
  return started;
}

/** Once it answers; from then on this process trusts its certificates. */
async function endpoints({ directory }: Run): Promise<StackEndpoints> {
  const found = await vi.waitFor(
    async () => (await readEndpoints(directory)) ?? expect.fail('It says nowhere where it answers.'),
    within,
  );
  await trustCertificate(found.caCertificate);
  return found;
}

async function childrenOf({ directory }: Run): Promise<ProcessIdentity[]> {
  const processes = await readFile(join(directory, 'processes.json'), 'utf8');
  return recordedProcesses.parse(JSON.parse(processes)).children;
}

async function running(processes: readonly ProcessIdentity[]): Promise<number> {
  return (await Promise.all(processes.map(isAlive))).filter(Boolean).length;
}

/** What a stack may not lose, nor show: file contents by what they are. */
async function secretsOf(where: StackEndpoints) {
  const { applications, managedIdentity } = await readApplications(where);
  const server = join(dirname(where.caCertificate), 'server-key.pem');
  return {
    accountKey: await readFile(where.accountKeyFile, 'utf8'),
    systemKey: await readFile(where.systemKeyFile, 'utf8'),
    certificateKey: (await readFile(server, 'utf8')).split('\n')[1] ?? '',
    clientSecrets: applications.map(({ clientSecret }) => clientSecret),
    identityHeader: managedIdentity.header,
  };
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('A stack answers where endpoints.json says, keeps its state and its ports over a restart, and leaves nothing running', async () => {
  await using directory = await temporaryDirectory();
  const first = run(directory.path);
  const where = await endpoints(first);
  expect(await (await fetch(`${where.app}/environment`)).json()).toMatchObject({
    AzureWebJobsStorage__blobServiceUri: where.blob,
    AzureWebJobsStorage: '',
    CONTROL_PLANE_URL: where.app,
  });
  const models = BlobServiceClient.fromConnectionString(connectionString(where)).getContainerClient('models');
  await models.uploadBlockBlob('duck/duck.glb', 'quack', 5);
  const { identityHeader: lastHeader, ...secrets } = await secretsOf(where);
  const children = await childrenOf(first);
  expect(children).toHaveLength(5);
  first.process.kill('SIGTERM');
  expect(await first.exited).toBe(0);
  expect(await running(children)).toBe(0);
  expect(await exists(join(directory.path, 'endpoints.json'))).toBe(false);

  const second = run(directory.path);
  expect(await endpoints(second)).toEqual(where);
  const { identityHeader, ...kept } = await secretsOf(where);
  expect(kept).toEqual(secrets);
  expect(identityHeader).not.toBe(lastHeader);
  expect(await models.getBlobClient('duck/duck.glb').exists()).toBe(true);
  await vi.waitFor(async () => expect(await (await fetch(`${where.app}/received`)).json()).toHaveLength(0), within);
});

test('A SIGKILL of the supervisor leaves no child, and the next stack starts with what was acknowledged', async () => {
  await using directory = await temporaryDirectory();
  const first = run(directory.path);
  const where = await endpoints(first);
  const children = await childrenOf(first);
  const models = BlobServiceClient.fromConnectionString(connectionString(where)).getContainerClient('models');
  await models.uploadBlockBlob('duck/duck.glb', 'quack', 5);
  first.process.kill('SIGKILL');
  await first.exited;
  const second = run(directory.path);
  await vi.waitFor(async () => expect(await running(children)).toBe(0), within);
  await vi.waitFor(async () => expect(await childrenOf(second)).not.toEqual(children), within);
  expect(await endpoints(second)).toEqual(where);
  expect(await models.getBlobClient('duck/duck.glb').exists()).toBe(true);
});

test('A Ctrl-C that reaches the whole process group leaves the storage up until the machines are stopped', async () => {
  await using directory = await temporaryDirectory();
  await using elsewhere = await temporaryDirectory();
  const permission = join(elsewhere.path, 'may-stop');
  const stack = run(directory.path, '--before-stop', permission);
  const { blob } = await endpoints(stack);
  const supervisor = z.number().parse(stack.process.pid);
  for (const { pid } of await childrenOf(stack)) process.kill(-pid, 'SIGINT');
  process.kill(-supervisor, 'SIGINT');
  await vi.waitFor(() => expect(stack.printed()).toContain('Stopping'), within);
  process.kill(-supervisor, 'SIGINT');
  await vi.waitFor(() => expect(stack.printed()).toContain('Already stopping, waiting for the machines'), within);
  expect((await fetch(blob)).status).toBeGreaterThan(0);
  await writeFile(permission, '');
  expect(await stack.exited).toBe(0);

  await using storage = await startSecureStorage(join(directory.path, 'storage'));
  const table = TableClient.fromConnectionString(storage.connectionString, 'stopped');
  expect(await table.getEntity('machine', 'host_lost')).toMatchObject({ rowKey: 'host_lost' });
});

test('--clean forgets what was there, unless another stack runs there: then it is refused and does that one no harm', async () => {
  await using directory = await temporaryDirectory();
  const before = run(directory.path);
  const former = await endpoints(before);
  const { accountKey } = await secretsOf(former);
  before.process.kill('SIGTERM');
  await before.exited;
  await writeFile(join(directory.path, 'anything'), '');
  const first = run(directory.path, '--clean');
  const where = await endpoints(first);
  expect(await exists(join(directory.path, 'anything'))).toBe(false);
  expect(where.accountId).not.toBe(former.accountId);
  expect((await secretsOf(where)).accountKey).not.toBe(accountKey);
  const second = run(directory.path, '--clean');
  expect(await second.exited).toBe(1);
  expect(second.printed()).toBe(
    `Another stack (process ${first.process.pid}) runs in ${directory.path}: stop it first.\n`,
  );
  expect((await fetch(`${where.app}/received`)).status).toBe(200);
  expect(await exists(join(directory.path, 'endpoints.json'))).toBe(true);
});

test('What is secret is for its owner alone: in no endpoint, in no other file, on no command line, in no line that is printed', async () => {
  await using directory = await temporaryDirectory();
  const stack = run(directory.path);
  const where = await endpoints(stack);
  const secrets = Object.values(await secretsOf(where)).flat();
  expect(secrets.every((secret) => secret.length > 30)).toBe(true);
  const showsSecret = (text: string) => secrets.some((secret) => text.includes(secret));

  for (const name of await readdir(directory.path, { recursive: true })) {
    const path = join(directory.path, name);
    const found = await stat(path);
    const isSecret = found.isFile() && showsSecret(await readFile(path, 'latin1'));
    if (isSecret) expect(found.mode & 0o077, name).toBe(0);
  }
  expect((await processesOf(directory.path)).filter(({ commandLine }) => showsSecret(commandLine))).toEqual([]);
  expect(showsSecret(JSON.stringify(where))).toBe(false);
  stack.process.kill('SIGTERM');
  await stack.exited;
  expect(showsSecret(stack.printed())).toBe(false);
});

test('The account has two keys, and the app knows no more of them than their hashes', async () => {
  await using directory = await temporaryDirectory();
  const where = await endpoints(run(directory.path));
  const folder = dirname(where.accountKeyFile);
  const keys = [await readFile(where.accountKeyFile, 'utf8'), await readFile(join(folder, 'secondary-key'), 'utf8')];
  for (const key of keys) expect(Buffer.from(key, 'base64')).toHaveLength(32);
  expect(new Set(keys).size).toBe(2);
  expect(await (await fetch(`${where.app}/environment`)).json()).toMatchObject({
    STS_ACCOUNT_ID: where.accountId,
    STS_ACCOUNT_DOMAIN: where.accountDomain,
    STS_ACCOUNT_KEY_HASHES: keys.map((key) => createHash('sha256').update(key).digest('hex')).join(','),
  });
});

test('The identity of the app opens the storage, as the environment of the app says', async () => {
  await using directory = await temporaryDirectory();
  const where = await endpoints(run(directory.path));
  const { managedIdentity } = await readApplications(where);
  const environment = await (await fetch(`${where.app}/environment`)).json();
  expect(environment).toMatchObject({
    IDENTITY_ENDPOINT: managedIdentity.endpoint,
    IDENTITY_HEADER: managedIdentity.header,
    AZURE_AUTHORITY_HOST: where.authority,
    ENTRA_TENANT_IDS: where.tenantId,
    AZURE_CLIENT_ID: '',
  });
  const asked = `${managedIdentity.endpoint}?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com`;
  const response = await fetch(asked, { headers: { 'X-IDENTITY-HEADER': managedIdentity.header } });
  const { access_token: token } = z.object({ access_token: z.string() }).parse(await response.json());
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 60_000 }) };
  expect(await new BlobServiceClient(where.blob, credential).getContainerClient('models').exists()).toBe(true);

  const published = await fetch(`${where.authority}/${where.tenantId}/v2.0/.well-known/openid-configuration`);
  expect(await published.json()).toMatchObject({ issuer: `${where.authority}/${where.tenantId}/v2.0` });
});

test("What a developer's shell holds leads nothing to Azure or to a proxy, and what the shell trusts is trusted on", async () => {
  await using directory = await temporaryDirectory();
  await using elsewhere = await temporaryDirectory();
  const { caCertificate: trusted } = await prepareCertificates(elsewhere.path, new Date());
  const credentials = { AZURE_CLIENT_ID: 'a', AZURE_TENANT_ID: 'b', AZURE_CLIENT_SECRET: 'c' };
  const shell = {
    ...credentials,
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com',
    NODE_EXTRA_CA_CERTS: trusted,
    HTTPS_PROXY: 'http://127.0.0.1:9',
  };
  const stack = runIn({ ...process.env, ...shell }, directory.path, '--before-stop', trusted);
  const where = await endpoints(stack);
  const environment = z.record(z.string(), z.string()).parse(await (await fetch(`${where.app}/environment`)).json());
  expect(environment).toMatchObject({ AZURE_CLIENT_ID: '', AZURE_TENANT_ID: '', AZURE_CLIENT_SECRET: '' });
  expect(environment['AZURE_AUTHORITY_HOST']).toBe(where.authority);
  const bundle = await readFile(environment['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8');
  for (const path of [trusted, where.caCertificate]) expect(bundle).toContain(await readFile(path, 'utf8'));
  stack.process.kill('SIGTERM');
  expect(await stack.exited).toBe(0);
  expect(stack.printed()).not.toContain('a part of the stop failed');
});

test('Over HTTP the storage is opened with its key, the app has no HTTPS, and identities are there all the same', async () => {
  await using directory = await temporaryDirectory();
  const where = await endpoints(run(directory.path, '--http'));
  expect(where).toMatchObject({
    blob: expect.stringMatching(/^http:/),
    accountDomain: new URL(where.app).host.replace('127.0.0.1', 'localhost'),
  });
  expect(where.appHttps).toBeUndefined();
  expect(await (await fetch(`${where.app}/environment`)).json()).toMatchObject({
    AzureWebJobsStorage: connectionString(where),
    AzureWebJobsStorage__blobServiceUri: '',
    AZURE_AUTHORITY_HOST: where.authority,
  });
  const models = BlobServiceClient.fromConnectionString(connectionString(where)).getContainerClient('models');
  await models.uploadBlockBlob('duck/duck.glb', 'quack', 5);
  await vi.waitFor(async () => expect(await (await fetch(`${where.app}/received`)).json()).toHaveLength(1), within);
  expect((await fetch(`${where.authority}/${where.tenantId}/discovery/v2.0/keys`)).status).toBe(200);
});

test('A taken port is one line that names it, and nothing is left behind', async () => {
  await using directory = await temporaryDirectory();
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const port = z.object({ port: z.number() }).parse(taken.address()).port;
  const stack = run(directory.path, '--port', String(port));
  expect(await stack.exited).toBe(1);
  taken.close();
  expect(stack.printed()).toMatch(new RegExp(`^Port ${port}, which the app needs, .* --port N\\.\\n$`));
  expect(await exists(join(directory.path, 'processes.json'))).toBe(false);
});

test('When a child that nothing works without is killed, the stack stops, says so and exits 1; blob events and Web PubSub are started again', async () => {
  await using directory = await temporaryDirectory();
  const stack = run(directory.path);
  await endpoints(stack);
  const children = await childrenOf(stack);
  const [, webPubSub, , blobEvents, host] = z
    .tuple([processIdentity, processIdentity, processIdentity, processIdentity, processIdentity])
    .parse(children);
  for (const { pid } of [blobEvents, webPubSub]) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => expect(await childrenOf(stack)).toHaveLength(7), within);
  process.kill(host.pid, 'SIGKILL');
  expect(await stack.exited).toBe(1);
  expect(stack.printed()).toContain('Functions host ended by itself with signal SIGKILL');
  expect(await running(children)).toBe(0);
});

test('An unknown option is refused with exit code 2', async () => {
  await using directory = await temporaryDirectory();
  const stack = run(directory.path, '--prot', '1');
  expect(await stack.exited).toBe(2);
  expect(stack.printed()).toContain("Unknown option '--prot'");
});
