import { once } from 'node:events';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import type { StsClientOptions, StsCredential, StsError } from '#lib/sts';
import { ACCOUNT, type ClientGround, clientGround, DAY, KEY } from './client-ground.ts';
import { type Answer, answerToken, answerWith, tokenWith } from './sts-server.ts';

const ENTRA = 'entra.secret-token.signature';
const SECRET = 'client-secret-that-nobody-may-see';
const entra: StsCredential = { getToken: async () => ({ token: ENTRA, expiresOnTimestamp: 0 }) };

let ground: ClientGround;
beforeEach(async () => {
  ground = await clientGround();
});
afterEach(() => ground[Symbol.asyncDispose]());

/** What getToken fails with; no secret is anywhere in it. */
async function failure(credential: StsCredential = { key: KEY }, options: StsClientOptions = {}): Promise<StsError> {
  const client = ground.client(credential, options);
  const error: StsError = await client.getToken().then(
    () => expect.unreachable('It got a token.'),
    (reason) => reason,
  );
  expect(error).toMatchObject({ name: 'StsError' });
  const shown = [error, client].flatMap((each) => [
    inspect(each, { depth: 10, showHidden: true }),
    JSON.stringify(each),
  ]);
  for (const secret of [KEY, ENTRA, SECRET]) for (const each of shown) expect(each).not.toContain(secret);
  return error;
}

describe('an STS that refuses', () => {
  test.each([
    [400, 'bad_request'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'bad_request'],
    [413, 'bad_request'],
    [418, 'bad_request'],
  ])('with %i is not asked again, and gives the error %s with both correlation vectors', async (status, code) => {
    ground.sts.answer(answerWith(status));
    const error = await failure({ key: KEY }, { newCorrelationVector: () => 'FkF00o9EBU3rsKGk6FCtBl' });
    expect(error).toMatchObject({
      code,
      correlationVector: 'FkF00o9EBU3rsKGk6FCtBl',
      serviceCorrelationVector: 'service.cv.0',
      message: expect.stringMatching(new RegExp(`${status}.*X-MRC-CV FkF00o9EBU3rsKGk6FCtBl, MS-CV service.cv.0`)),
    });
    expect(ground.sts.requests).toHaveLength(1);
  });

  it('and throws our secrets back at us does not get them into the error', async () => {
    for (const echo of [KEY, `${ACCOUNT}:${KEY}`, `a ${KEY}`]) {
      ground.sts.answer(answerWith(401, { 'MS-CV': echo, 'WWW-Authenticate': echo }, JSON.stringify({ key: KEY })));
      expect(await failure()).toMatchObject({ code: 'unauthorized' });
    }
    ground.sts.answer(answerWith(200, { 'MS-CV': ENTRA }, `{"AccessToken": ${ENTRA}`));
    expect(await failure(entra)).toMatchObject({ code: 'bad_answer' });
  });

  it('and leaves a long or odd MS-CV is named without it', async () => {
    for (const vector of ['x'.repeat(129), 'a b', '<script>']) {
      ground.sts.answer(answerWith(401, { 'MS-CV': vector }));
      expect(await failure()).toMatchObject({ serviceCorrelationVector: undefined });
    }
  });
});

describe('an STS that is in trouble', () => {
  test.each([500, 502, 503, 504])('with %i is asked three times, with growing waits', async (status) => {
    ground.sts.answer(answerWith(status));
    expect(await failure()).toMatchObject({ code: 'unavailable', message: expect.stringContaining(String(status)) });
    expect(ground.sts.requests).toHaveLength(3);
    expect(ground.waits).toEqual([250, 500]);
  });

  it('for a moment is not noticed', async () => {
    ground.sts.answer(answerWith(500), (response) => response.destroy(), ground.tokenFor(DAY));
    expect(await ground.client().getToken()).toMatchObject({ token: expect.any(String) });
  });

  it('and ends connections is unavailable, with what happened as the cause', async () => {
    ground.sts.answer((response) => response.destroy());
    const error = await failure();
    expect(error).toMatchObject({ code: 'unavailable', cause: { name: 'TypeError', message: 'fetch failed' } });
    expect(inspect(error.cause, { depth: 10 })).toContain('other side closed');
    expect(ground.sts.requests).toHaveLength(3);
  });

  it('and is not there at all is unavailable', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    server.close();
    await once(server, 'close');
    const error = await failure({ key: KEY }, { authenticationEndpointUrl: `http://127.0.0.1:${port}` });
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(inspect(error.cause, { depth: 10 })).toContain('ECONNREFUSED');
  });

  const begun: Answer = (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"Acc');
  test.each<[string, Answer]>([
    ['does not answer', () => {}],
    ['does not end its answer', begun],
  ])('and %s is given up after the time', async (_, answer) => {
    ground.sts.answer(answer);
    const error = await failure({ key: KEY }, { timeoutMilliseconds: 50 });
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('did not answer within 50 ms'),
    });
    expect(ground.waits).toEqual([250, 500]);
  });

  it('is given up after the time also by a fetch that heeds no signal', async () => {
    const fetch = () => new Promise<Response>(() => {});
    expect(await failure({ key: KEY }, { timeoutMilliseconds: 20, fetch })).toMatchObject({ code: 'unavailable' });
  });

  it('and a fetch that shows what it was given leaves no secret in the error', async () => {
    const fetch = async (_: unknown, init?: RequestInit) => {
      const error = new Error(`cannot send ${inspect(init)}`, { cause: new Error(JSON.stringify(init?.headers)) });
      throw Object.assign(error, { init, code: 'E_SENT' });
    };
    expect(await failure({ key: KEY }, { fetch })).toMatchObject({ code: 'unavailable', cause: { code: 'E_SENT' } });
    expect(await failure(entra, { fetch })).toMatchObject({ code: 'unavailable', cause: { code: 'E_SENT' } });
  });
});

describe('an answer that is no token', () => {
  const at = Date.UTC(2026, 0, 1) / 1000;
  const json = (body: unknown) => answerWith(200, { 'Content-Type': 'application/json' }, JSON.stringify(body));
  test.each<[string, Answer]>([
    ['empty', answerWith(200)],
    ['no JSON', answerWith(200, {}, '<html>')],
    ['JSON that is cut off', answerWith(200, {}, '{"AccessToken":"a.b')],
    ['a text', json('a.b.c')],
    ['null', json(null)],
    ['a list', json([tokenWith({ exp: at + 60 })])],
    ['without an AccessToken', json({})],
    ['in small letters', json({ accessToken: tokenWith({ exp: at + 60 }) })],
    ['a token that is a number', json({ AccessToken: 5 })],
    ['a token of two parts', json({ AccessToken: 'a.b' })],
    ['a token without a signature', json({ AccessToken: tokenWith({ exp: at + 60 }).replace(/[^.]+$/, '') })],
    ['a token with a line break', json({ AccessToken: `${tokenWith({ exp: at + 60 })}\r\nX: y` })],
    ['a token over-long', json({ AccessToken: tokenWith({ exp: at + 60, blob: 'x'.repeat(20_000) }) })],
    ['a token without exp', answerToken({})],
    ['a token with a wrong exp', answerToken({ exp: 'soon' })],
    ['a token with an exp that no date can be', answerToken({ exp: 1e15 })],
    ['a token of the past', answerToken({ exp: at - 60 })],
    ['a token of this very moment', answerToken({ exp: at })],
    ['a success without content', answerWith(204)],
    ['another success', answerWith(201, {}, JSON.stringify({ AccessToken: tokenWith({ exp: at + 60 }) }))],
  ])('is a bad answer, asked for once: %s', async (_, answer) => {
    ground.sts.answer(answer);
    expect(await failure()).toMatchObject({ code: 'bad_answer', serviceCorrelationVector: 'service.cv.0' });
    expect(ground.sts.requests).toHaveLength(1);
  });

  it('may have its expiry in quotes', async () => {
    ground.sts.answer(answerToken({ exp: String(at + 60) }));
    expect((await ground.client().getToken()).expiresOn).toEqual(new Date((at + 60) * 1000));
  });

  it.each([200, 401])('is not read on once it is too long, or of no use: %i', async (status) => {
    let written = 0;
    let closed = false;
    ground.sts.answer((response) => {
      const more = () => {
        while (written < 100_000_000 && !response.destroyed) {
          written += 65_536;
          if (!response.write('x'.repeat(65_536))) return;
        }
      };
      response.on('drain', more).on('close', () => {
        closed = true;
      });
      response.writeHead(status);
      more();
    });
    const tooLong = { code: 'bad_answer', message: expect.stringContaining('65536 bytes') };
    expect(await failure()).toMatchObject(status === 200 ? tooLong : { code: 'unauthorized' });
    await vi.waitFor(() => expect(closed).toBe(true));
    expect(written).toBeLessThan(50_000_000);
  });

  test.each([301, 302, 303, 307, 308])('is a redirect by %i, which gets no bearer', async (status) => {
    const elsewhere = await clientGround();
    elsewhere.sts.answer(elsewhere.tokenFor(DAY));
    ground.sts.answer(answerWith(status, { Location: `${elsewhere.sts.url}/` }));
    expect(await failure()).toMatchObject({ code: 'bad_answer', message: expect.stringContaining('not followed') });
    expect(elsewhere.sts.requests).toHaveLength(0);
    await elsewhere[Symbol.asyncDispose]();
  });
});

describe('a credential that gives no token', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['null', async () => null],
    ['nothing', async () => undefined],
    ['an empty one', async () => ({ token: '', expiresOnTimestamp: 0 })],
    ['one that is no text', async () => ({ token: 5, expiresOnTimestamp: 0 })],
  ])('but %s is named, and the STS is not asked', async (_, getToken) => {
    expect(await failure(credentialBy(getToken))).toMatchObject({ code: 'credential' });
    expect(ground.sts.requests).toHaveLength(0);
  });

  it('is named with what it says, and without what else its error carries', async () => {
    const failed = Object.assign(new Error('AADSTS7000215: Invalid client secret provided.'), {
      request: { body: `client_secret=${SECRET}` },
    });
    const throwing = () => {
      throw failed;
    };
    for (const getToken of [() => Promise.reject(failed), throwing]) {
      const error = await failure(credentialBy(getToken));
      expect(error).toMatchObject({ code: 'credential', cause: { message: failed.message } });
      expect(error.message).toContain(`${ground.sts.url}/.default`);
    }
  });

  it('is given up after the time', async () => {
    const error = await failure(
      credentialBy(() => new Promise(() => {})),
      { timeoutMilliseconds: 20 },
    );
    expect(error.message).toContain('20 ms');
  });

  it('but one that no header can carry sends nothing', async () => {
    for (const token of ['a\r\nX-Role: admin', 'a b', 'tökén', 'x'.repeat(16_385)]) {
      const error = await failure(credentialBy(async () => ({ token, expiresOnTimestamp: 0 })));
      expect(error).toMatchObject({ code: 'invalid_argument' });
      expect(error.message).not.toContain(token);
    }
    expect(ground.sts.requests).toHaveLength(0);
  });

  it('is not asked with a correlation vector that no header can carry', async () => {
    const error = await failure({ key: KEY }, { newCorrelationVector: () => 'a\r\nX-Role: admin' });
    expect(error).toMatchObject({ code: 'invalid_argument', message: expect.stringContaining('correlation vector') });
    expect(ground.sts.requests).toHaveLength(0);
  });
});

/** Credentials that do not keep to their type, as JavaScript's need not. */
function credentialBy(getToken: () => Promise<unknown>): StsCredential {
  const credential = { ...entra };
  Reflect.set(credential, 'getToken', getToken);
  return credential;
}
