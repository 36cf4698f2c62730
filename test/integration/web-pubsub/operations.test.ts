import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  anyone,
  connectRaw,
  JSON_PROTOCOL,
  type RawClient,
  RELIABLE,
  startService,
  type TestService,
} from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const server = () => service.serviceOf();

interface Connected extends RawClient {
  readonly id: string;
}

async function connect(options = {}, protocol: string = JSON_PROTOCOL): Promise<Connected> {
  const client = await connectRaw((await server().getClientAccessToken(options)).url, protocol);
  await vi.waitFor(() => expect(client.frames).toHaveLength(1));
  return { ...client, id: String(Reflect.get(Object(client.frames[0]), 'connectionId')) };
}

test('the service is healthy, for anybody', async () => {
  const response = await fetch(`${service.endpoint}/api/health?api-version=2024-12-01`, { method: 'HEAD' });
  expect(response.status).toBe(200);
});

test('what there is not, is not found; what is asked for wrongly, is not allowed', async () => {
  expect((await service.call('POST', '/:shout')).status).toBe(404);
  expect((await service.call('GET', '/:send')).status).toBe(405);
  expect((await fetch(`${service.endpoint}/`)).status).toBe(404);
});

test('connections, users and groups exist while they have a connection', async () => {
  const [userId, group] = [anyone(), anyone()];
  const client = await connect({ userId, groups: [group] });
  expect(await server().connectionExists(client.id)).toBe(true);
  expect(await server().userExists(userId)).toBe(true);
  expect(await server().groupExists(group)).toBe(true);
  client.socket.close(1000);
  await client.closed;
  expect(await server().connectionExists(client.id)).toBe(false);
  expect(await server().userExists(userId)).toBe(false);
  expect(await server().groupExists(group)).toBe(false);
});

describe('closing', () => {
  const told = (client: Connected) => client.frames.at(-1);

  test.each([JSON_PROTOCOL, RELIABLE])('tells a client of %s why, then closes with 1000', async (protocol) => {
    const client = await connect({}, protocol);
    await server().closeConnection(client.id, { reason: 'revoked' });
    expect(await client.closed).toEqual({ code: 1000, reason: 'revoked' });
    expect(told(client)).toEqual({ type: 'system', event: 'disconnected', message: 'revoked' });
    expect(await server().connectionExists(client.id)).toBe(false);
  });

  test('is of a user, of a group, or of all, but for those that are excluded', async () => {
    const [userId, group] = [anyone(), anyone()];
    const [one, two, three, four] = await Promise.all([
      connect({ userId }),
      connect({ userId }),
      connect({ groups: [group] }),
      connect({}),
    ]);
    await server().closeUserConnections(userId, { reason: 'away' });
    expect((await Promise.all([one.closed, two.closed])).map(({ reason }) => reason)).toEqual(['away', 'away']);
    await server().group(group).closeAllConnections();
    expect(await three.closed).toEqual({ code: 1000, reason: 'Closed by REST API.' });
    const five = await connect({});
    await service.call('POST', `/:closeConnections?excluded=${five.id}&reason=${'x'.repeat(500)}`);
    expect((await four.closed).reason).toMatch(/^x{123}$/);
    expect(told(four)).toMatchObject({ message: 'x'.repeat(500) });
    expect(await server().connectionExists(five.id)).toBe(true);
    five.socket.close(1000);
  });

  test('nobody is a success', async () => {
    await server().closeConnection(anyone());
    await server().closeUserConnections(anyone());
    await server().group(anyone()).closeAllConnections();
  });
});

describe('membership', () => {
  const groupsOf = async (client: Connected, groups: readonly string[]) => {
    const before = client.frames.length;
    for (const group of groups) await server().group(group).sendToAll('x', { contentType: 'text/plain' });
    await server().sendToConnection(client.id, 'end', { contentType: 'text/plain' });
    await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ from: 'server', data: 'end' }));
    return client.frames.slice(before, -1).map((frame) => Reflect.get(Object(frame), 'group'));
  };

  test('of a connection is added, removed and removed from all', async () => {
    const client = await connect();
    const [one, two, three] = [anyone(), anyone(), anyone()];
    for (const group of [one, two, three]) await server().group(group).addConnection(client.id);
    expect(await groupsOf(client, [one, two, three])).toEqual([one, two, three]);
    await server().group(two).removeConnection(client.id);
    expect(await groupsOf(client, [one, two, three])).toEqual([one, three]);
    await server().removeConnectionFromAllGroups(client.id);
    expect(await groupsOf(client, [one, two, three])).toEqual([]);
    await expect(server().group(one).addConnection(anyone())).rejects.toMatchObject({ statusCode: 404 });
    await server().group(one).removeConnection(anyone());
    client.socket.close(1000);
  });

  test('of a user is of all its connections', async () => {
    const userId = anyone();
    const [one, two] = await Promise.all([connect({ userId }), connect({ userId })]);
    const [a, b] = [anyone(), anyone()];
    await server().group(a).addUser(userId);
    await server().group(b).addUser(userId);
    expect(await groupsOf(one, [a, b])).toEqual([a, b]);
    await server().group(a).removeUser(userId);
    expect(await groupsOf(two, [a, b])).toEqual([b]);
    await server().removeUserFromAllGroups(userId);
    expect(await groupsOf(one, [a, b])).toEqual([]);
    await expect(server().group(a).addUser(anyone())).rejects.toMatchObject({ statusCode: 404 });
    await server().group(a).removeUser(anyone());
    for (const { socket } of [one, two]) socket.close(1000);
  });

  test('of all that a filter matches', async () => {
    const userId = anyone();
    const [client, other] = await Promise.all([connect({ userId }), connect()]);
    const [a, b] = [anyone(), anyone()];
    await server().addConnectionsToGroups([a, b], `userId eq '${userId}'`);
    expect(await groupsOf(client, [a, b])).toEqual([a, b]);
    expect(await groupsOf(other, [a, b])).toEqual([]);
    await server().removeConnectionsFromGroups([a], `'${b}' in groups`);
    expect(await groupsOf(client, [a, b])).toEqual([b]);
    for (const body of ['{', '{}', '{"groups":[]}', '{"groups":[" "]}', '{"groups":["a"],"filter":"x"}']) {
      const response = await service.call('POST', '/:addToGroups', {
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(response.status).toBe(400);
    }
    for (const { socket } of [client, other]) socket.close(1000);
  });

  test('is listed page by page', async () => {
    const [group, userId] = [anyone(), anyone()];
    const clients = await Promise.all(
      Array.from({ length: 7 }, (_, index) => connect({ groups: [group], ...(index === 0 && { userId }) })),
    );
    const list = async (options = {}) => {
      const found = [];
      for await (const connection of await server().group(group).listConnections(options)) found.push(connection);
      return found;
    };
    const all = await list({ maxPageSize: 3 });
    expect(all.map(({ connectionId }) => connectionId).sort()).toEqual(clients.map(({ id }) => id).sort());
    expect(all.find(({ connectionId }) => connectionId === clients[0]?.id)?.userId).toBe(userId);
    expect(await list({ maxPageSize: 2, top: 5 })).toHaveLength(5);
    expect(await server().group(anyone()).listConnections()).toBeDefined();
    for (const query of ['?maxpagesize=0', '?maxpagesize=201', '?top=0', '?continuationToken=x']) {
      expect((await service.call('GET', `/groups/${group}/connections${query}`)).status).toBe(400);
    }
    for (const { socket } of clients) socket.close(1000);
  });
});

test('permissions are granted, told and revoked, for one group by its name', async () => {
  const client = await connect();
  const target = { targetName: 'g.1' };
  expect(await server().hasPermission(client.id, 'sendToGroup', target)).toBe(false);
  await server().grantPermission(client.id, 'sendToGroup', target);
  expect(await server().hasPermission(client.id, 'sendToGroup', target)).toBe(true);
  expect(await server().hasPermission(client.id, 'joinLeaveGroup', target)).toBe(false);
  client.send({ type: 'sendToGroup', group: 'g.1', ackId: 1, data: 1 });
  await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 1, success: true }));
  await server().revokePermission(client.id, 'sendToGroup', target);
  client.send({ type: 'sendToGroup', group: 'g.1', ackId: 2, data: 1 });
  await vi.waitFor(() => expect(client.frames.at(-1)).toMatchObject({ ackId: 2, error: { name: 'Forbidden' } }));
  await expect(server().grantPermission(anyone(), 'sendToGroup', target)).rejects.toMatchObject({ statusCode: 404 });
  await server().revokePermission(anyone(), 'sendToGroup', target);
  expect(await server().hasPermission(anyone(), 'sendToGroup', target)).toBe(false);
  expect((await service.call('PUT', `/permissions/sendToGroup/connections/${client.id}`)).status).toBe(400);
  expect((await service.call('PUT', `/permissions/everything/connections/${client.id}?targetName=g`)).status).toBe(400);
  client.socket.close(1000);
});
