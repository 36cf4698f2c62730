import { AzureKeyCredential, WebPubSubServiceClient } from '@azure/web-pubsub';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { anyone, connectRaw, HUB, OWNER, PROVIDER, RELIABLE, startService, type TestService } from './test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service[Symbol.asyncDispose]());

const POST = { method: 'POST' };
const generate = (query = '', authorization?: string) =>
  service.call('POST', `/:generateToken${query}`, authorization === undefined ? {} : { headers: { authorization } });

describe('who may call the service', () => {
  test.each<[string, JWTPayload]>([
    ['another audience', { aud: 'https://webpubsub.azure.com/' }],
    ['the audience of a sibling', { aud: 'https://signalr.azure.com' }],
    ['another issuer', { iss: 'https://login.example/6c1f/v2.0' }],
    ['another tenant', { tid: 'a-tenant-of-somebody-else' }],
    ['an end that is past', { exp: 1_700_000_000 }],
    ['no end', { exp: 0 }],
    ['a start that is to come', { nbf: Math.floor(Date.now() / 1000) + 3600 }],
    ['no oid', { oid: '' }],
  ])('not with a token of %s', async (_what, claims) => {
    const response = await generate('', `Bearer ${await service.tokenOf(OWNER, claims)}`);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('not with a token of another key, of no key, or with none at all', async () => {
    const claims = decodeJwt(await service.tokenOf());
    const { privateKey } = await generateKeyPair('RS256');
    const foreign = await service.authority.sign(claims, {}, privateKey);
    const unsigned = new UnsecuredJWT(claims).encode();
    const symmetric = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from('a key'));
    for (const authorization of [
      `Bearer ${foreign}`,
      `Bearer ${unsigned}`,
      `Bearer ${symmetric}`,
      'Bearer',
      'Basic eDp5',
      'Bearer x.y.z',
    ]) {
      expect((await generate('', authorization)).status).toBe(401);
    }
    const without = await fetch(`${service.endpoint}/api/hubs/${HUB}/:generateToken?api-version=2024-12-01`, POST);
    expect(without.status).toBe(401);
  });

  test('with a token of the first version too, as the authority writes them', async () => {
    const iss = `https://sts.windows.net/${service.authority.tenantId}/`;
    expect((await generate('', `Bearer ${await service.tokenOf(OWNER, { iss, ver: '1.0' })}`)).status).toBe(200);
  });

  test('is told which data action is missing, as the SDK reports it', async () => {
    const nobody = service.serviceOf(anyone());
    await expect(nobody.getClientAccessToken()).rejects.toMatchObject({
      statusCode: 403,
      code: 'Error.Forbidden',
      message: expect.stringContaining(`${PROVIDER}/clientConnection/generateToken/action permission is required`),
    });
    await expect(nobody.group('g').sendToAll('x')).rejects.toMatchObject({
      statusCode: 403,
      message: `${PROVIDER}/group/send/action permission is required to access this API. Please check your role assignments.`,
    });
  });

  test.each([
    ['hub/send/action', (client: WebPubSubServiceClient) => client.sendToAll('x')],
    ['user/send/action', (client: WebPubSubServiceClient) => client.sendToUser('u', 'x')],
    ['clientConnection/send/action', (client: WebPubSubServiceClient) => client.sendToConnection('c', 'x')],
    ['clientConnection/write', (client: WebPubSubServiceClient) => client.closeUserConnections('u')],
    ['group/write', (client: WebPubSubServiceClient) => client.group('g').removeUser('u')],
    ['clientConnection/generateToken/action', (client: WebPubSubServiceClient) => client.getClientAccessToken()],
  ])('needs %s, and that alone', async (action, call) => {
    const principal = anyone();
    await expect(call(service.serviceOf(principal))).rejects.toMatchObject({ statusCode: 403 });
    service.roles[principal] = [`${PROVIDER}/${action}`];
    await call(service.serviceOf(principal));
  });

  test('a reader reads and does nothing else', async () => {
    const reader = anyone();
    service.roles[reader] = ['Web PubSub Service Reader'];
    const server = service.serviceOf(reader);
    expect(await server.userExists('u')).toBe(false);
    expect(await server.connectionExists('c')).toBe(false);
    await expect(server.sendToAll('x')).rejects.toMatchObject({ statusCode: 403 });
    await expect(server.getClientAccessToken()).rejects.toMatchObject({ statusCode: 403 });
  });

  test('learns nothing while the authority is away, and is served when it is back', async () => {
    await using other = await startService();
    other.authority.down = true;
    expect((await other.call('POST', '/:generateToken')).status).toBe(503);
    other.authority.down = false;
    expect((await other.call('POST', '/:generateToken')).status).toBe(200);
  });
});

describe('a client token', () => {
  test('says what was asked for, signed with a key that only the service has', async () => {
    const { token, url, baseUrl } = await service.serviceOf().getClientAccessToken({
      userId: 'alice',
      roles: ['webpubsub.joinLeaveGroup.a', 'webpubsub.sendToGroup'],
      groups: ['a', 'b'],
      expirationTimeInMinutes: 5,
    });
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      aud: `${service.endpoint}/client/hubs/${HUB}`,
      iss: 'https://webpubsub.azure.com',
      sub: 'alice',
      role: ['webpubsub.joinLeaveGroup.a', 'webpubsub.sendToGroup'],
      'webpubsub.group': ['a', 'b'],
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(300);
    expect(claims.nbf).toBe(claims.iat);
    expect(decodeProtectedHeader(token)).toEqual({
      alg: 'HS256',
      typ: 'JWT',
      kid: expect.stringMatching(/^s-[0-9a-f-]{36}$/),
    });
    expect(baseUrl).toBe(`${service.endpoint.replace('https', 'wss')}/client/hubs/${HUB}`);
    expect(url).toBe(`${baseUrl}?access_token=${token}`);
  });

  test('lasts an hour and says nothing more where nothing is asked for', async () => {
    const { token } = await service.serviceOf().getClientAccessToken();
    const claims = decodeJwt(token);
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'nbf']);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
  });

  test('of one role is a string, as the service writes it; each principal has a key of its own', async () => {
    const second = anyone();
    service.roles[second] = ['Web PubSub Service Owner'];
    const tokenFor = async (principal: string) =>
      (await service.serviceOf(principal).getClientAccessToken({ roles: ['webpubsub.sendToGroup'] })).token;
    const [one, again, other] = await Promise.all([tokenFor(OWNER), tokenFor(OWNER), tokenFor(second)]);
    expect(decodeJwt(one)['role']).toBe('webpubsub.sendToGroup');
    expect(decodeProtectedHeader(one).kid).toBe(decodeProtectedHeader(again).kid);
    expect(decodeProtectedHeader(one).kid).not.toBe(decodeProtectedHeader(other).kid);
  });

  test.each([
    ['?minutesToExpire=0', 400],
    ['?minutesToExpire=-1', 400],
    ['?minutesToExpire=1.5', 400],
    ['?minutesToExpire=2147483648', 400],
    ['?minutesToExpire=', 400],
    ['?minutesToExpire=1&minutesToExpire=2', 400],
    ['?group=', 400],
    [`?group=${'g'.repeat(1025)}`, 400],
    ['?clientType=Grpc', 400],
    ['?clientType=mqtt', 501],
    ['?api-version=2020-10-01', 400],
    ['?api-version=', 400],
    ['?clientType=DEFAULT&minutesToExpire=2147483647', 200],
    ['?api-version=2022-11-01', 200],
    ['?userId=', 200],
  ])('asked for with %s is answered with %i', async (query, status) => {
    expect((await generate(query)).status).toBe(status);
  });

  test.each(['1hub', 'hub-name', 'a%2Fb', 'a'.repeat(129)])('is not issued for the hub %s', async (hub) => {
    const headers = { authorization: `Bearer ${await service.tokenOf()}` };
    const url = `${service.endpoint}/api/hubs/${hub}/:generateToken?api-version=2024-12-01`;
    expect((await fetch(url, { ...POST, headers })).status).toBe(400);
  });
});

describe('at the handshake', () => {
  const revoked = anyone();
  afterEach(() => {
    service.roles[revoked] = ['Web PubSub Service Owner'];
  });
  const base = () => `${service.endpoint.replace('https', 'wss')}/client/hubs/${HUB}`;
  const token = async (options = {}) => (await service.serviceOf().getClientAccessToken(options)).token;

  test.each([
    ['in the query', async () => connectRaw(`${base()}?access_token=${await token()}`, RELIABLE)],
    [
      'in the header',
      async () => connectRaw(base(), RELIABLE, { headers: { authorization: `Bearer ${await token()}` } }),
    ],
    [
      'beside the name of the hub',
      async () => connectRaw(`${base().replace(`hubs/${HUB}`, '')}?hub=${HUB}&access_token=${await token()}`, RELIABLE),
    ],
    [
      'through another name of this machine',
      async () => connectRaw(`${base().replace('localhost', '127.0.0.1')}?access_token=${await token()}`, RELIABLE),
    ],
  ])('a token is taken %s', async (_where, connect) => {
    const { socket } = await connect();
    expect(socket.protocol).toBe(RELIABLE);
    socket.close(1000);
  });

  test.each([
    ['no token', async () => ''],
    ['an Entra token', () => service.tokenOf()],
    ['a torn token', async () => (await token()).slice(0, -2)],
    [
      'a token for another hub',
      async () =>
        (
          await new WebPubSubServiceClient(
            service.endpoint,
            { getToken: async () => ({ token: await service.tokenOf(), expiresOnTimestamp: Date.now() + 60_000 }) },
            'another',
          ).getClientAccessToken()
        ).token,
    ],
    [
      'a token that somebody signed with a key of theirs',
      async () =>
        (
          await new WebPubSubServiceClient(
            service.endpoint,
            new AzureKeyCredential('a key'),
            HUB,
          ).getClientAccessToken()
        ).token,
    ],
  ])('%s is refused', async (_what, tokenOf) => {
    await expect(connectRaw(`${base()}?access_token=${await tokenOf()}`, RELIABLE)).rejects.toThrow('401');
  });

  test('a token that has expired is refused, and one that expires later does not end its connection', async () => {
    let later = 0;
    await using other = await startService({ now: () => new Date(Date.now() + later) });
    const { url } = await other.serviceOf().getClientAccessToken({ expirationTimeInMinutes: 1 });
    const client = await connectRaw(url, RELIABLE);
    later = 61_000;
    await expect(connectRaw(url, RELIABLE)).rejects.toThrow('401');
    client.send({ type: 'ping' });
    await expect.poll(() => client.frames.at(-1)).toEqual({ type: 'pong' });
    client.socket.close(1000);
  });

  test('the identity that asked for the token must still be allowed clients: new ones are refused, old ones stay', async () => {
    service.roles[revoked] = ['Web PubSub Service Owner'];
    const { url } = await service.serviceOf(revoked).getClientAccessToken();
    const before = await connectRaw(url, RELIABLE);
    service.roles[revoked] = [`${PROVIDER}/clientConnection/generateToken/action`];
    const { url: another } = await service.serviceOf(revoked).getClientAccessToken();
    await expect(connectRaw(url, RELIABLE)).rejects.toThrow('401');
    await expect(connectRaw(another, RELIABLE)).rejects.toThrow('401');
    before.send({ type: 'ping' });
    await expect.poll(() => before.frames.at(-1)).toEqual({ type: 'pong' });
    before.socket.close(1000);
  });

  test('what is no request for a WebSocket, or for no hub, is refused', async () => {
    const { url } = await service.serviceOf().getClientAccessToken();
    expect((await fetch(url.replace('wss', 'https'))).status).toBe(400);
    await expect(connectRaw(url.replace(`/hubs/${HUB}`, '/'), RELIABLE)).rejects.toThrow('400');
    await expect(connectRaw(url.replace('/client/', '/clients/mqtt/'), RELIABLE)).rejects.toThrow('404');
    await expect(connectRaw(`${url}&webpubsub_mode=other`)).rejects.toThrow('400');
  });
});

describe('local authentication', () => {
  const KEY = 'a-key-that-only-this-test-knows=';
  const keyed = (endpoint: string, key = KEY) =>
    new WebPubSubServiceClient(endpoint, new AzureKeyCredential(key), HUB, { retryOptions: { maxRetries: 0 } });

  test('is off without keys', async () => {
    await expect(keyed(service.endpoint).sendToAll('x')).rejects.toMatchObject({
      statusCode: 401,
      message: expect.stringContaining('Local authentication is disabled'),
    });
  });

  test("with a key, everything but the service's own tokens works", async () => {
    await using other = await startService({ accessKeys: ['the first one', KEY] });
    const server = keyed(other.endpoint);
    const { url, token } = await server.getClientAccessToken({ userId: 'u', groups: ['g'] });
    const client = await connectRaw(url, RELIABLE);
    await server.group('g').sendToAll('hello', { contentType: 'text/plain' });
    await expect.poll(() => client.frames.at(-1)).toMatchObject({ type: 'message', data: 'hello' });
    await expect(keyed(other.endpoint, 'another').sendToAll('x')).rejects.toMatchObject({ statusCode: 401 });
    const generated = await other.call('POST', '/:generateToken', { headers: { authorization: `Bearer ${token}` } });
    expect(generated.status).toBe(401);
    client.socket.close(1000);
  });

  test('a signature is for one URL', async () => {
    await using other = await startService({ accessKeys: [KEY] });
    const path = '/:send?api-version=2024-12-01';
    const sign = (aud: string) =>
      new SignJWT({ aud }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h').sign(Buffer.from(KEY));
    const send = async (aud: string) => {
      const headers = { authorization: `Bearer ${await sign(aud)}`, 'content-type': 'text/plain' };
      return (await other.call('POST', path, { headers, body: 'x' })).status;
    };
    const url = `${other.endpoint}/api/hubs/${HUB}/:send`;
    expect(await send(`${url}?api-version=2024-12-01`)).toBe(202);
    expect(await send(url.toUpperCase())).toBe(202);
    expect(await send(`${other.endpoint}/api/hubs/${HUB}/:closeConnections`)).toBe(401);
  });
});
