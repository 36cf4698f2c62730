import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WEB_PUBSUB } from '../../../infra/local/identity/directory.ts';
import {
  APP,
  HEADER,
  type IdentityProcess,
  STORAGE,
  startIdentity,
  tokenAnswer,
  WEB_PUBSUB_HEADER,
} from './identity-process.ts';

let server: IdentityProcess;
beforeAll(async () => {
  server = await startIdentity();
});
afterAll(() => server.stop());

describe('the managed-identity endpoint', () => {
  const asking = (resource: string) => `api-version=2019-08-01&resource=${encodeURIComponent(resource)}`;
  const get = (query: string, init: RequestInit = {}) =>
    fetch(`${server.endpoint}?${query}`, { headers: { 'x-identity-header': HEADER }, ...init });

  test.each([APP, `${APP}/`, STORAGE, `${STORAGE}//`, 'https://webpubsub.azure.com'])(
    'names the resource %s exactly as it was asked for',
    async (resource) => {
      const response = await get(asking(resource));
      expect(response.status).toBe(200);
      const body = tokenAnswer.parse(await response.json());
      expect(body).toMatchObject({
        resource,
        token_type: 'Bearer',
        client_id: server.identityOf('system-assigned').clientId,
        expires_on: String(decodeJwt(body.access_token).exp),
      });
      expect(resource.startsWith(String(decodeJwt(body.access_token).aud))).toBe(true);
    },
  );

  test('knows identities in upper case too, and principal_id as the other name of object_id', async () => {
    const { principalId, clientId } = server.identityOf('no-roles');
    for (const named of [`principal_id=${principalId.toUpperCase()}`, `object_id=${principalId}`]) {
      const body = await (await get(`${asking(APP)}&${named}`)).json();
      expect(body).toMatchObject({ client_id: clientId });
    }
  });

  test('gives Web PubSub tokens of its own identity and of no other, and the app none of that one', async () => {
    const headers = { 'x-identity-header': WEB_PUBSUB_HEADER };
    const answer = tokenAnswer.parse(await (await get(asking(APP), { headers })).json());
    expect(decodeJwt(answer.access_token)).toMatchObject({
      aud: APP,
      azp: WEB_PUBSUB.clientId,
      oid: WEB_PUBSUB.principalId,
      roles: ['RemoteRendering.EventSource'],
    });
    const other = `${asking(APP)}&client_id=${server.identityOf('rendering-client').clientId}`;
    expect((await get(other, { headers })).status).toBe(400);
    expect((await get(`${asking(APP)}&client_id=${WEB_PUBSUB.clientId}`)).status).toBe(400);
  });

  test.each([
    [401, 'no header', asking(APP), { headers: {} }],
    [401, 'an empty header', asking(APP), { headers: { 'x-identity-header': '' } }],
    [403, 'a browser', asking(APP), { headers: { 'x-identity-header': HEADER, origin: 'http://127.0.0.1' } }],
    [403, 'a proxy', asking(APP), { headers: { 'x-identity-header': HEADER, 'x-forwarded-for': '192.0.2.1' } }],
    [400, 'no api-version', `resource=${APP}`, {}],
    [400, 'another api-version', `api-version=2017-09-01&resource=${APP}`, {}],
    [400, 'no resource', 'api-version=2019-08-01', {}],
    [400, 'an empty resource', asking(''), {}],
    [400, 'two resources', `${asking(APP)}&resource=${STORAGE}`, {}],
    [400, 'an unknown resource', asking('https://unknown.example'), {}],
    [400, 'a resource that goes on', asking(`${STORAGE}.unknown.example`), {}],
    [400, 'two names of an identity', `${asking(APP)}&client_id=a&mi_res_id=b`, {}],
    [400, 'one name twice', `${asking(APP)}&client_id=a&client_id=a`, {}],
    [400, 'an empty name', `${asking(APP)}&client_id=`, {}],
    [405, 'POST', asking(APP), { method: 'POST' }],
  ] as const)('answers %i to %s, with a reason and without a token', async (status, _what, query, init) => {
    const response = await get(query, init);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ statusCode: status, message: expect.stringMatching(/\w{3}/) });
  });

  test('answers 404 to another path, and only to who shows the header', async () => {
    const elsewhere = server.endpoint.replace('/msi/token', '/metadata');
    expect((await fetch(elsewhere, { headers: { 'x-identity-header': HEADER } })).status).toBe(404);
    expect((await fetch(elsewhere)).status).toBe(401);
  });
});
