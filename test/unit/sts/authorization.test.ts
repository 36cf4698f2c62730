import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { AccountKeys, parseStsAuthorization } from '#lib/sts';

const ACCOUNT = '0f8fad5b-d9cb-469f-a165-70867728950e';
const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=';
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');
const base64url = (minLength: number) =>
  fc.string({ unit: fc.constantFrom(...'ABCxyz019-_'), minLength, maxLength: 60 });

describe('the Authorization of a request to the STS', () => {
  it('is a key, with the account that it is of', () => {
    const key = { kind: 'key', accountId: ACCOUNT, key: KEY };
    expect(parseStsAuthorization(`Bearer ${ACCOUNT}:${KEY}`)).toEqual(key);
    expect(parseStsAuthorization(`bearer ${ACCOUNT.toUpperCase()}:${KEY}`)).toEqual(key);
  });

  it('may be a key with colons and dots', () => {
    expect(parseStsAuthorization(`Bearer ${ACCOUNT}:a:b.c.d`)).toEqual({
      kind: 'key',
      accountId: ACCOUNT,
      key: 'a:b.c.d',
    });
  });

  it('is a token', () => {
    expect(parseStsAuthorization(`Bearer ${TOKEN}`)).toEqual({ kind: 'token', token: TOKEN });
  });

  test.each([
    ['missing', undefined],
    ['missing, as fetch has it', null],
    ['empty', ''],
    ['a scheme alone', 'Bearer'],
    ['a scheme and a blank', 'Bearer '],
    ['another scheme', `Basic ${KEY}`],
    ['a key without an account', `Bearer ${KEY}`],
    ['a key of no GUID', `Bearer my-account:${KEY}`],
    ['an account without a key', `Bearer ${ACCOUNT}:`],
    ['a key with a blank', `Bearer ${ACCOUNT}:a b`],
    ['a key with a line break', `Bearer ${ACCOUNT}:a\r\nX-Role: admin`],
    ['a line break at the end', `Bearer ${TOKEN}\n`],
    ['a key beyond ASCII', `Bearer ${ACCOUNT}:schlüssel`],
    ['a key over-long', `Bearer ${ACCOUNT}:${'k'.repeat(513)}`],
    ['a token of two parts', 'Bearer a.b'],
    ['a token of four parts', 'Bearer a.b.c.d'],
    ['a token with an empty signature', 'Bearer a.b.'],
    ['a token over-long', `Bearer a.${'b'.repeat(16_384)}.c`],
    ['two of them', `Bearer ${TOKEN}, Bearer ${TOKEN}`],
  ])('is nothing where it is %s', (_, header) => {
    expect(parseStsAuthorization(header)).toBeUndefined();
  });

  it('is read back whatever the key is', () => {
    const key = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
      maxLength: 512,
    });
    fc.assert(
      fc.property(fc.uuid(), key, (accountId, secret) => {
        expect(parseStsAuthorization(`Bearer ${accountId}:${secret}`)).toEqual({ kind: 'key', accountId, key: secret });
      }),
    );
  });

  it('is read back whatever the token is', () => {
    fc.assert(
      fc.property(base64url(1), base64url(1), base64url(1), (...parts) => {
        const token = parts.join('.');
        expect(parseStsAuthorization(`Bearer ${token}`)).toEqual({ kind: 'token', token });
      }),
    );
  });

  it('never throws, never keeps a blank or a control character, and is quick with anything', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('Bearer ', ACCOUNT, ':', '.', 'a', '\r\n', '\0', ' '), maxLength: 40 }),
    );
    fc.assert(
      fc.property(hostile, (header) => {
        const parsed = parseStsAuthorization(header);
        const kept = parsed?.kind === 'key' ? parsed.key : (parsed?.token ?? 'x');
        expect(kept).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
    const started = performance.now();
    for (const long of ['.', ':', 'a.', '-', `${ACCOUNT}:`]) parseStsAuthorization(`Bearer ${long.repeat(100_000)}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('account keys', () => {
  const keys = new AccountKeys([hashOf(KEY), hashOf('second').toUpperCase()]);

  it('match by their hashes, the first and the second alike', () => {
    expect(keys.matches(KEY)).toBe(true);
    expect(keys.matches('second')).toBe(true);
  });

  test.each(['', 'third', `${KEY} `, KEY.slice(1), hashOf(KEY), '\0', 'x'.repeat(100_000)])(
    'do not match %j',
    (presented) => {
      expect(keys.matches(presented)).toBe(false);
    },
  );

  it('let nobody in where there are none', () => {
    expect(new AccountKeys([]).matches('')).toBe(false);
    expect(new AccountKeys([]).matches(KEY)).toBe(false);
  });

  test.each(['', 'abc', KEY, `${hashOf(KEY)}0`, `${hashOf(KEY)}\n`])('are not made of %j, which is no hash', (hash) => {
    expect(() => new AccountKeys([hashOf('good'), hash])).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.not.stringContaining(hash || 'never') }),
    );
  });
});
