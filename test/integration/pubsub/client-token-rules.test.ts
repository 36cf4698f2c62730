import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role, routes } from '#lib/api';
import { type Caller, ProblemError } from '#lib/http';
import { clientAccessTokenFor, clientTokenFor, explain } from '#lib/pipeline';
import { PubSubError } from '#lib/pubsub';
import { newPipeline, openRecords, testConfig } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';
import {
  answerAsTheService,
  answerLacking,
  pubSubAt,
  startWebPubSubServer,
  type WebPubSubServer,
} from './web-pubsub-server.ts';

const ADA = '00000000-0000-4000-8000-0000000000aa';
const CLEO = '00000000-0000-4000-8000-0000000000cc';
const IVO = '00000000-0000-4000-8000-0000000000dd';

let storage: TestStorage;
let server: WebPubSubServer;
let parts: Parameters<typeof clientTokenFor>[0];
beforeAll(async () => {
  storage = await startStorage();
  server = await startWebPubSubServer();
  server.answer(answerAsTheService);
  const { pipelines } = await openRecords(storage.connectionString);
  await pipelines.create({ ...newPipeline('open'), readers: ['clients'] });
  await pipelines.create({ ...newPipeline('cleos'), readers: [CLEO] });
  await pipelines.create({ ...newPipeline('hidden'), readers: [] });
  await pipelines.create({ ...newPipeline('owned'), owner: IVO, readers: [] });
  const config = testConfig(storage.connectionString, { CLIENT_TOKEN_MAX_MINUTES: '30' });
  parts = { config, pipelines, pubsub: pubSubAt(server.url) };
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await storage.stop();
});

const caller = (subject: string, ...roles: Role[]): Caller => ({ subject, roles, tenantId: 'tenant' });
const ada = caller(ADA, ROLES.administrator);
const cleo = caller(CLEO, ROLES.client);
const ivo = caller(IVO, ROLES.client);
const join = (group: string) => `webpubsub.joinLeaveGroup.${group}`;

/** What a request's body, or query, comes to, as the route does it: the schema first. */
const post = async (who: Caller, body: unknown = {}) =>
  await clientTokenFor(parts, who, routes['client-tokens-post'].body.parse(body));
const get = async (who: Caller, query: unknown = {}) =>
  decodeJwt(await clientAccessTokenFor(parts, who, routes['client-tokens-get'].query.parse(query)));
const refused = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => undefined,
    (thrown) => thrown,
  );
  return error instanceof ProblemError ? error.problem : explain(error);
};

describe('the body', () => {
  test('may say nothing: then the user is the caller, in the group of their role, with leave to join that group', async () => {
    const given = await post(cleo);
    expect(given).toMatchObject({ hub: 'rendering', userId: CLEO, groups: ['clients'], roles: [join('clients')] });
    expect(given.url).toBe(`${given.baseUrl}?access_token=${given.token}`);
    expect(decodeJwt(given.token)).toMatchObject({ sub: CLEO, 'webpubsub.group': 'clients' });
    expect(await post(ada)).toMatchObject({ userId: ADA, groups: ['administrators'], roles: [join('administrators')] });
    const both = caller(ADA, ROLES.client, ROLES.administrator);
    expect((await post(both)).groups).toEqual(['administrators']);
  });

  test('names pipelines that the caller may read, once each', async () => {
    const groups = ['clients', 'pipeline.open', 'pipeline.cleos'];
    expect(await post(cleo, { pipelines: ['open', 'cleos', 'open'] })).toMatchObject({
      groups,
      roles: groups.map(join),
    });
    expect((await post(ivo, { pipelines: ['owned'] })).groups).toEqual(['clients', 'pipeline.owned']);
    expect((await post(ada, { pipelines: ['hidden', 'owned'] })).groups).toContain('pipeline.hidden');
  });

  test('and one that they may not know of is not there, as one that is not', async () => {
    const [hidden, absent] = [
      await refused(post(cleo, { pipelines: ['open', 'hidden'] })),
      await refused(post(cleo, { pipelines: ['absent'] })),
    ];
    expect(hidden).toMatchObject({ status: 404, type: 'not-found' });
    expect(hidden?.detail.replace('hidden', 'absent')).toBe(absent?.detail);
  });

  test('says how long, within the maximum', async () => {
    const minutesOf = async (body: unknown) => {
      const { exp = 0, iat = 0 } = decodeJwt((await post(cleo, body)).token);
      return (exp - iat) / 60;
    };
    expect(await minutesOf({})).toBe(30);
    expect(await minutesOf({ minutes: 1 })).toBe(1);
    expect(await refused(post(cleo, { minutes: 31 }))).toMatchObject({ status: 400, field: 'minutes' });
  });

  test('may ask for fewer roles, or to join later what it may', async () => {
    expect((await post(cleo, { roles: [] })).roles).toEqual([]);
    const roles = [join('pipeline.open'), join('clients')];
    expect(await post(cleo, { roles })).toMatchObject({ roles, groups: ['clients'] });
    expect((await post(ada, { roles: [join('clients')] })).roles).toEqual([join('clients')]);
  });

  test.each([
    'webpubsub.sendToGroup',
    'webpubsub.sendToGroup.clients',
    'webpubsub.sendToGroup.pipeline.open',
    'webpubsub.sendToGroups.**',
    'webpubsub.joinLeaveGroup',
    'webpubsub.joinLeaveGroups.pipeline.*',
    'webpubsub.joinLeaveGroups.**',
    'webpubsub.joinLeaveGroup.pipeline',
    'webpubsub.joinLeaveGroup.PIPELINE.open',
    'webpubsub.joinLeaveGroup.Clients',
    'webpubsub.joinLeaveGroup.anything',
  ])('never gets the role %s, whoever asks', async (role) => {
    for (const who of [cleo, ada]) {
      expect(await refused(post(who, { roles: [join('clients'), role] }))).toMatchObject({
        status: 403,
        field: 'roles',
      });
    }
  });

  test('never gets a Client into what is not theirs', async () => {
    expect(await refused(post(cleo, { roles: [join('administrators')] }))).toMatchObject({ status: 403 });
    for (const group of ['pipeline.hidden', 'pipeline.absent', 'pipeline.', 'pipeline.*', 'pipeline.hidden.x']) {
      expect(await refused(post(cleo, { roles: [join(group)] })), group).toMatchObject({ status: 404 });
    }
  });

  test.each(['webpubsub.joinleavegroup.clients', 'Administrator', ' webpubsub.joinLeaveGroup.clients'])(
    'is told that %j is no role: Web PubSub would grant nothing, without a word',
    async (role) => {
      expect(await refused(post(cleo, { roles: [role] }))).toMatchObject({ status: 400, field: 'roles' });
    },
  );

  test.each([
    { userId: ADA },
    { user: ADA },
    { groups: ['administrators'] },
    { hub: 'other' },
    { expirationTimeInMinutes: 1000 },
    { minutes: 0 },
    { minutes: -5 },
    { minutes: 1.5 },
    { minutes: '5' },
    { minutes: 1e9 },
    { pipelines: ['../x'] },
    { pipelines: ['*'] },
    { pipelines: 'open' },
    { pipelines: Array(11).fill('open') },
    { roles: Array(21).fill(join('clients')) },
    { roles: ['x'.repeat(201)] },
    { roles: [{}] },
    [],
    'text',
    null,
  ])('is refused: %j', (body) => {
    expect(routes['client-tokens-post'].body.safeParse(body).success).toBe(false);
  });
});

describe('the query', () => {
  test('says the same in other words', async () => {
    expect(await get(cleo)).toMatchObject({ sub: CLEO, 'webpubsub.group': 'clients', role: join('clients') });
    const query = { hub: 'Rendering', userId: CLEO, ttl: '5', roles: `${join('clients')}, ${join('pipeline.open')}` };
    const { exp = 0, iat = 0, ...claims } = await get(cleo, query);
    expect(exp - iat).toBe(300);
    expect(claims).toMatchObject({ sub: CLEO, role: [join('clients'), join('pipeline.open')] });
  });

  test.each([
    [{ userId: ADA }, 403],
    [{ userId: `${CLEO},${ADA}` }, 403],
    [{ userId: '' }, 403],
    [{ userId: CLEO.toUpperCase() }, 403],
    [{ hub: 'other' }, 404],
    [{ hub: 'rendering,other' }, 404],
    [{ hub: '' }, 404],
    [{ roles: 'webpubsub.sendToGroup' }, 403],
    [{ roles: `${join('clients')},${join('administrators')}` }, 403],
    [{ roles: join('pipeline.hidden') }, 404],
    [{ roles: 'nothing' }, 400],
    [{ ttl: '31' }, 400],
  ])('gets nobody more than they have: %j is %i', async (query, status) => {
    expect(await refused(get(cleo, query))).toMatchObject({ status });
  });

  test.each([
    { ttl: '0' },
    { ttl: '1,2' },
    { ttl: '5.5' },
    { ttl: '-1' },
    { ttl: '0x10' },
    { ttl: '' },
    { roles: '' },
    { roles: `${join('clients')},` },
    { group: 'administrators' },
    { groups: 'administrators' },
    { role: join('clients') },
    { UserId: ADA },
    { minutesToExpire: '1000' },
  ])('is refused: %j', (query) => {
    expect(routes['client-tokens-get'].query.safeParse(query).success).toBe(false);
  });
});

test('without Web PubSub both say so', async () => {
  const without = { ...parts, pubsub: undefined };
  for (const asked of [clientTokenFor(without, cleo, {}), clientAccessTokenFor(without, cleo, { userId: ADA })]) {
    expect(await refused(asked)).toMatchObject({ status: 503, type: 'no-live-events' });
  }
});

test('what goes wrong with Web PubSub has a status, and nothing of the service is said', async () => {
  const outcomes = [
    [401, 502, 'web-pubsub-refused'],
    [403, 502, 'web-pubsub-permission'],
    [429, 503, 'web-pubsub-unavailable'],
    [500, 503, 'web-pubsub-unavailable'],
    [200, 502, 'web-pubsub-bad-answer'],
  ] as const;
  for (const [answered, status, type] of outcomes) {
    server.answer((_, response) => {
      response.writeHead(answered, { 'Content-Type': 'application/json', 'Retry-After': '9' });
      response.end('{"code":"Error","message":"the words of the service"}');
    });
    const problem = await refused(post(cleo));
    expect(problem).toMatchObject({ status, type });
    expect(JSON.stringify(problem)).not.toContain('words of the service');
    expect(problem?.headers?.['Retry-After']).toBe(status === 503 ? '9' : undefined);
  }
  expect(explain(new PubSubError('timeout', 'too slow'))).toMatchObject({ status: 504, type: 'web-pubsub-timeout' });
  const identity = explain(new PubSubError('identity_unavailable', 'gone'));
  expect(identity).toMatchObject({ status: 503, type: 'identity-unavailable', headers: { 'Retry-After': '5' } });
  // Settings that cannot be used are nobody's request: the log has them.
  expect(explain(new PubSubError('connection_string', 'wrong'))).toBeUndefined();
});

test('a permission that the identity lacks is named, so that its operator can be told', async () => {
  const dataAction = 'Microsoft.SignalRService/WebPubSub/clientConnection/generateToken/action';
  server.answer(answerLacking(dataAction, '/:generateToken'));
  expect((await refused(post(cleo)))?.detail).toContain(dataAction);
});
