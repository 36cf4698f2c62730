import { once } from 'node:events';
import { ManagedIdentityCredential } from '@azure/identity';
import { WebPubSubServiceClient } from '@azure/web-pubsub';
import { WebPubSubClient } from '@azure/web-pubsub-client';

// A program of its own: what a managed identity is, @azure/identity decides once for a process.
const { endpoint, hub, clientId } = JSON.parse(process.argv[2] ?? '');
const credential =
  clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
const service = new WebPubSubServiceClient(endpoint, credential, hub);

async function run() {
  const options = { userId: 'alice', groups: ['updates'], roles: ['webpubsub.joinLeaveGroup.updates'] };
  const client = new WebPubSubClient({
    getClientAccessUrl: async () => (await service.getClientAccessToken(options)).url,
  });
  const connected = new Promise((resolve) => client.on('connected', resolve));
  const received = new Promise((resolve) => client.on('group-message', ({ message }) => resolve(message.data)));
  await client.start();
  const { userId } = await connected;
  await client.joinGroup('updates');
  await service.group('updates').sendToAll({ state: 'ready' });
  const outcome = { userId, joined: true, received: [await received] };
  const stopped = once(client, 'stopped').catch(() => undefined);
  client.stop();
  await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 100))]);
  return outcome;
}

const outcome = await run().catch(({ statusCode, code, message }) => ({ error: { statusCode, code, message } }));
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
