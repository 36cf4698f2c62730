import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { RemoteRenderingClient } from '#lib/client';
import { startTestStack, type TestStack } from '../support/e2e-stack.ts';
import { boxGlb } from '../support/models/index.ts';
import { sessionHostsOf } from '../support/processes.ts';

const within = { timeout: 30_000, interval: 100 };
const privateKeys = z.object({ keys: z.array(z.object({ privateKey: z.string() })) });

/** Everything that was ever answered to a caller, but for the tokens and URLs that were asked for. */
interface Run {
  readonly stack: TestStack;
  readonly secrets: Map<string, string>;
  readonly answers: string[];
}

test('no secret is in a log, an error, a record, a history or the database of orchestrations after a full run', async () => {
  await using stack = await startTestStack({ UPLOAD_POLICY: 'convert-and-start', LEASE_SECONDS: '6' });
  const directory = dirname(stack.endpoints.applicationsFile);
  const run: Run = { stack, secrets: new Map(), answers: [] };
  await rememberFiles(run, directory);
  await journey(run, directory);
  await mistakes(run);
  await rememberSigningKeys(run, directory);

  expect([...run.secrets.keys()]).toHaveLength(17);
  for (const [name, secret] of run.secrets) expect(secret.length, name).toBeGreaterThan(20);
  const places = await placesOf(run, directory);
  expect([...places.keys()]).toEqual(
    expect.arrayContaining(['log', 'answers', 'durable.sqlite', 'storage/table.json']),
  );
  // What is looked through is what was written: a record and a history of this run.
  expect(places.get('storage/table.json')).toContain('lease_expired');
  // Its latest pages are in a file beside it.
  expect(`${places.get('durable.sqlite')}${places.get('durable.sqlite-wal')}`).toContain('pipelineAwaitFiles');
  const found = [...places].flatMap(([place, text]) =>
    [...run.secrets].filter(([, secret]) => text.includes(secret)).map(([name]) => `${name} in ${place}`),
  );
  expect(found).toEqual([]);
}, 90_000);

/** Uploads, converts, renders and stops, with every kind of token on the way. */
async function journey({ stack, secrets, answers }: Run, directory: string): Promise<void> {
  const { accountId } = stack.endpoints;
  const ada = await stack.tokenFor('administrator', 'ada');
  const administrator = new RemoteRenderingClient({ url: stack.endpoints.app, token: () => ada });
  secrets.set('access token of ada', ada);
  const { token } = await administrator.stsToken();
  secrets.set('Mixed Reality token', token);
  secrets.set('Web PubSub client token', (await administrator.clientToken()).token);
  const key = secrets.get('account key') ?? '';
  const account = await stack.call('GET', `/accounts/${accountId}/token`, { token: `${accountId}:${key}` });
  secrets.set('Mixed Reality token by key', z.object({ AccessToken: z.string() }).parse(account.body).AccessToken);

  const { files, uploadId } = await administrator.createUpload([{ name: 'box.glb', bytes: boxGlb().length }]);
  for (const file of files) {
    secrets.set('signature of an upload', new URL(file.url).searchParams.get('sig') ?? '');
    await administrator.uploadFile(file, new Uint8Array(boxGlb()));
  }
  const id = await vi.waitFor(async () => {
    const [found] = (await administrator.pipelines()).filter(({ model }) => model === `${uploadId}/box.glb`);
    expect(found?.state).toBe('ready');
    return found?.id ?? '';
  }, within);
  for (const { pid } of await sessionHostsOf(directory)) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const secret = /HEARTBEAT_SECRET=([^\0]+)/.exec(environment)?.[1];
    if (secret !== undefined) secrets.set("secret of a session host's machine", secret);
  }
  const { url } = await administrator.asset(id);
  secrets.set('signature of an asset', new URL(url).searchParams.get('sig') ?? '');
  await vi.waitFor(async () => expect((await administrator.pipeline(id)).state).toBe('stopped'), within);
  answers.push(JSON.stringify(await administrator.pipeline(id)));
}

/** Credentials at the wrong door, or spoilt: whatever the answer and the log say, it is not them. */
async function mistakes({ stack, secrets, answers }: Run): Promise<void> {
  const { accountId } = stack.endpoints;
  const key = secrets.get('account key') ?? '';
  for (const credential of secrets.values()) {
    for (const [method, path] of [
      ['GET', '/api/pipelines'],
      ['POST', '/api/tokens/sts'],
      ['PUT', '/api/pipelines/some-id'],
      ['GET', `/accounts/${accountId}/token`],
      ['POST', '/api/sessions/some-id/heartbeats'],
    ] as const) {
      for (const token of [credential, `${credential}x`, `${accountId}:${credential}x`]) {
        const answer = await stack.call(method, path, {
          token,
          ...(method !== 'GET' && { body: { model: credential } }),
        });
        if (answer.status !== 200 || path !== `/accounts/${accountId}/token`)
          answers.push(JSON.stringify(answer.body ?? ''));
      }
    }
  }
  answers.push(
    JSON.stringify(
      (await stack.call('GET', `/accounts/11111111-2222-4333-8444-555555555555/token`, { token: `x:${key}` })).body ??
        '',
    ),
  );
}

async function rememberFiles({ stack, secrets }: Run, directory: string): Promise<void> {
  const { managedIdentity, applications } = await stack.applications();
  secrets.set('account key', await readFile(stack.endpoints.accountKeyFile, 'utf8'));
  secrets.set('identity header', managedIdentity.header);
  secrets.set('system key', await readFile(join(directory, 'system-key'), 'utf8'));
  for (const { name, clientSecret } of applications) {
    secrets.set(`secret of ${name}`, clientSecret);
    secrets.set(`access token of ${name}`, await stack.applicationToken(name));
  }
}

async function rememberSigningKeys({ secrets }: Run, directory: string): Promise<void> {
  const { keys } = privateKeys.parse(JSON.parse(await readFile(join(directory, 'sts-keys.json'), 'utf8')));
  for (const [index, { privateKey }] of keys.entries()) {
    // The middle of the key: lines are broken elsewhere where it is written otherwise.
    secrets.set(`signing key ${index}`, privateKey.split('\n')[3] ?? '');
  }
}

/** The texts that a secret must not be in. What `.local/` keeps for its owner alone is no such place. */
async function placesOf({ stack, answers }: Run, directory: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(directory);
  const databases = names.filter((name) => name.startsWith('durable.sqlite'));
  const open = [
    ...databases,
    'endpoints.json',
    'ports.json',
    'processes.json',
    'blob-events.json',
    'storage/table.json',
  ];
  const texts = open.map(
    async (name) => [name, await readFile(join(directory, name), 'latin1').catch(() => '')] as const,
  );
  const processes = await commandLines();
  return new Map([
    ['log', stack.log().join('\n')],
    ['answers', answers.join('\n')],
    ['command lines', processes],
    ...(await Promise.all(texts)),
  ]);
}

/** Every user of the machine can read them. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  return (await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).join('\n');
}
