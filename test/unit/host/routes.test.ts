import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareRoutes, matchRoute, parseRoute, routeShape } from '../../../infra/local/host/routes.ts';

describe('a path matches a route template', () => {
  test.each([
    ['', '/', {}],
    ['api/things', '/API/Things/', {}],
    ['things/{id}', '/things/a%20b%2Fc', { id: 'a b%2Fc' }],
    ['things/{id:int}', '/things/-12', { id: '-12' }],
    ['things/{id?}', '/things', {}],
    ['things/{id?}', '/things/1', { id: '1' }],
    ['{*rest}', '/', {}],
    ['files/{*rest}', '/files/a//b', { rest: 'a//b' }],
    ['a/{x}/b/{y}', '/a/1/B/2', { x: '1', y: '2' }],
    ['bad/{x}', '/bad/%E0%A4%A', { x: '%E0%A4%A' }],
  ])('%s takes %s', (template, path, parameters) => {
    expect(matchRoute(parseRoute(template), path)).toEqual(parameters);
  });

  test.each([
    ['', '/a'],
    ['things', '/things/1'],
    ['things/{id}', '/things'],
    ['things/{id}', '/things//'],
    ['things/{id:int}', '/things/1.5'],
    ['things/{id:int}', '/things/2147483648'],
    ['a/{x}/b', '/a//b'],
    ['a/{*rest}', '/b'],
  ])('%s does not take %s', (template, path) => {
    expect(matchRoute(parseRoute(template), path)).toBeUndefined();
  });
});

test.each(['{x?}/a', '{*x}/a', 'a{x}', '{x:guid}', '{x=1}', '{x}/{X}', '{1x}', '{*x?}'])(
  '%s is refused',
  (template) => {
    expect(() => parseRoute(template)).toThrow(`cannot serve route "${template}"`);
  },
);

test('the more specific route comes first', () => {
  const templates = ['{*x}', 'a/{*x}', 'a/{x?}', '{x}', 'a/{x}/b', 'a', 'a/{x:int}', 'a/b'].map(parseRoute);
  const sorted = templates.toSorted(compareRoutes).map((each) => each.text);
  expect(sorted).toEqual(['a', 'a/b', 'a/{x:int}', 'a/{x?}', 'a/{x}/b', 'a/{*x}', '{x}', '{*x}']);
});

test('routes of one shape match the same paths, whatever their parameters are called', () => {
  expect(routeShape(parseRoute('A/{one}/b'))).toBe(routeShape(parseRoute('a/{other}/B')));
  expect(routeShape(parseRoute('a/{one}'))).not.toBe(routeShape(parseRoute('a/{one:int}')));
});

test('what is put into a path comes out of it', () => {
  const value = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[/\\]|^\.{1,2}$|%2f/i.test(text));
  fc.assert(
    fc.property(value, value, (one, other) => {
      const { pathname } = new URL(`http://host/a/${encodeURIComponent(one)}/x/${encodeURIComponent(other)}`);
      expect(matchRoute(parseRoute('a/{one}/X/{other}'), pathname)).toEqual({ one, other });
    }),
  );
});
