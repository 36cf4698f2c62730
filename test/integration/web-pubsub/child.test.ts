import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ClientSecretCredential } from '@azure/identity';
import { WebPubSubServiceClient } from '@azure/web-pubsub';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningChild, startChild } from '../../../infra/local/child-process.ts';
import { HEADER, type IdentityProcess, LOOPBACK, startIdentity } from '../local/identity-process.ts';
import { connectRaw, HUB, PROVIDER, RELIABLE, watch } from './test-service.ts';

const clientProgram = fileURLToPath(new URL('./managed-identity-client.mjs', import.meta.url));

let identity: IdentityProcess;
let child: RunningChild;

beforeAll(async () => {
  identity = await startIdentity();
  child = await start();
});
afterAll(async () => {
  await child.stop(2000);
  await identity.stop();
});

function start(port = 0, secretOptions = {}): Promise<RunningChild> {
  const { certificate, key, caCertificate } = identity.certificates;
  return startChild({
    name: 'Web PubSub',
    program: fileURLToPath(new URL('../../../infra/local/web-pubsub.ts', import.meta.url)),
    options: {
      port,
      certificate,
      key,
      authority: identity.authority,
      tenantId: identity.known.tenantId,
      roles: {
        [identity.identityOf('system-assigned').principalId]: ['Web PubSub Service Owner'],
        [identity.identityOf('rendering-client').principalId]: [`${PROVIDER}/clientConnection/generateToken/action`],
        [identity.applicationOf('administrator').objectId]: ['Web PubSub Service Owner'],
      },
    },
    secretOptions,
    environment: { ...process.env, NODE_EXTRA_CA_CERTS: caCertificate },
    startMilliseconds: 10_000,
  });
}

const endpointOf = ({ endpoints }: RunningChild) => endpoints['webPubSub'] ?? '';

const serviceOf = (name: string, running = child) => {
  const { clientId, clientSecret } = identity.applicationOf(name);
  const options = { authorityHost: identity.authority, disableInstanceDiscovery: true };
  const credential = new ClientSecretCredential(identity.known.tenantId, clientId, clientSecret, options);
  return new WebPubSubServiceClient(endpointOf(running), credential, HUB, { retryOptions: { maxRetries: 0 } });
};

describe('the whole chain, with the real packages in a process of their own', () => {
  const run = async (clientId?: string) => {
    const job = JSON.stringify({ endpoint: endpointOf(child), hub: HUB, clientId });
    const env = {
      IDENTITY_ENDPOINT: identity.endpoint,
      IDENTITY_HEADER: HEADER,
      NODE_EXTRA_CA_CERTS: identity.certificates.caCertificate,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [clientProgram, job], { env });
    return JSON.parse(stdout);
  };

  test('a managed identity gets a token, its client connects, joins and hears what is sent', async () => {
    expect(await run()).toEqual({ userId: 'alice', joined: true, received: [{ state: 'ready' }] });
  });

  test('an identity without a role is told what is missing', async () => {
    expect(await run(identity.identityOf('no-roles').clientId)).toEqual({
      error: {
        statusCode: 403,
        code: 'Error.Forbidden',
        message: expect.stringContaining('clientConnection/generateToken/action'),
      },
    });
  });

  test('an identity that may only have tokens gets one that no client can use', async () => {
    expect(await run(identity.identityOf('rendering-client').clientId)).toEqual({
      error: { message: 'Unexpected server response: 401' },
    });
  });
});

test('an application connects clients with its secret', async () => {
  const server = serviceOf('administrator');
  await using watcher = await watch(async () => (await server.getClientAccessToken({ groups: ['g'] })).url);
  await server.group('g').sendToAll({ n: 1 });
  await vi.waitFor(() => expect(watcher.received).toEqual([['g', { n: 1 }]]));
  await expect(serviceOf('client').sendToAll('x')).rejects.toMatchObject({ statusCode: 403 });
});

test('answers on every address of localhost, and on no other', async () => {
  const port = Number(new URL(endpointOf(child)).port);
  for (const host of LOOPBACK) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port }, () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', reject);
    });
  }
});

test('says whose port is taken', async () => {
  const port = Number(new URL(endpointOf(child)).port);
  await expect(start(port)).rejects.toMatchObject({ code: 'port-taken' });
});

test('says goodbye when it is stopped, and a client finds its way back after a kill', async () => {
  let running = await start();
  const port = Number(new URL(endpointOf(running)).port);
  const raw = await connectRaw((await serviceOf('administrator', running).getClientAccessToken()).url, RELIABLE);
  await using watcher = await watch(
    async () => (await serviceOf('administrator', running).getClientAccessToken({ userId: 'u' })).url,
  );
  await running.stop(2000);
  expect((await raw.closed).code).toBe(1001);

  running = await start(port);
  const back = () =>
    vi.waitFor(async () => expect(await serviceOf('administrator', running).userExists('u')).toBe(true), {
      timeout: 15_000,
      interval: 100,
    });
  await back();
  process.kill(running.pid, 'SIGKILL');
  await running.ended;
  running = await start(port);
  await back();
  await serviceOf('administrator', running).sendToUser('u', 'hello again');
  await vi.waitFor(() => expect(watcher.received).toEqual(['hello again']));
  await running.stop(2000);
});
