import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { rolesOf } from '#lib/sts';
import { expiryOf, isCompactJws } from '../../../lib/sts/token-claims.ts';

const tokenWith = (payload: unknown) => `eyJhbGciOiJSUzI1NiJ9.${encode(JSON.stringify(payload))}.c2lnbmF0dXJl`;
const encode = (text: string) => Buffer.from(text).toString('base64url');

describe('the roles of a token', () => {
  test.each([
    [{ roles: ['RemoteRendering.Client'] }, ['RemoteRendering.Client']],
    [{ roles: ['a', 'b'] }, ['a', 'b']],
    [{ roles: 'RemoteRendering.Client' }, ['RemoteRendering.Client']],
    [{ roles: [] }, []],
    [{ roles: [1] }, []],
    [{ roles: { 0: 'a' } }, []],
    [{}, []],
    [null, []],
    ['roles', []],
  ])('of %j are %j', (payload, roles) => {
    expect(rolesOf(tokenWith(payload))).toEqual(roles);
  });

  test.each(['', 'a', 'a.b', 'a.b.c', '..', 'a.e30.', `a.${encode('{"roles":')}.c`])('of %j are none', (token) => {
    expect(rolesOf(token)).toEqual([]);
  });
});

describe('the expiry of a token', () => {
  test.each([
    [1_800_000_000, '2027-01-15T08:00:00.000Z'],
    ['1800000000', '2027-01-15T08:00:00.000Z'],
    [1_800_000_000.5, '2027-01-15T08:00:00.500Z'],
    [1, '1970-01-01T00:00:01.000Z'],
    [8_640_000_000_000, '+275760-09-13T00:00:00.000Z'],
  ])('by exp %j is %s', (exp, instant) => {
    expect(expiryOf(tokenWith({ exp }))?.toISOString()).toBe(instant);
  });

  test.each([0, -1, 8_640_000_000_001, 1e300, '', '-1', '1e9', 'soon', '99999999999999', true, null, [1], undefined])(
    'by exp %j is none',
    (exp) => {
      expect(expiryOf(tokenWith({ exp }))).toBeUndefined();
    },
  );

  it('is that of the payload, whatever else is in there', () => {
    const claims = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(claims, fc.integer({ min: 1, max: 4_000_000_000 }), (others, exp) => {
        expect(expiryOf(tokenWith({ ...others, exp }))).toEqual(new Date(exp * 1000));
      }),
    );
  });

  it('never throws, and is a real date or none, whatever the text', () => {
    const piece = fc.constantFrom(
      '.',
      'e30',
      encode('{"exp":1e400}'),
      encode('{"exp":5}'),
      encode('\0'),
      '=',
      'ü',
      '\n',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (token) => {
        const expiry = expiryOf(token);
        expect(expiry === undefined || !Number.isNaN(expiry.getTime())).toBe(true);
        expect(rolesOf(token)).toEqual([]);
      }),
    );
  });
});

describe('a compact JWS', () => {
  test.each([
    ['a.b.c', true],
    ['a.b', false],
    ['a.b.c.d', false],
    ['a.b.', false],
    ['.b.c', false],
    ['a.b=.c', false],
    ['a.b.c\n', false],
    [`a.${'b'.repeat(16_380)}.c`, true],
    [`a.${'b'.repeat(16_381)}.c`, false],
  ])('%.20s… is one: %s', (text, is) => {
    expect(isCompactJws(text)).toBe(is);
  });
});
