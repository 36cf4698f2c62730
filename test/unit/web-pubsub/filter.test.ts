import { odata } from '@azure/web-pubsub';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../infra/local/web-pubsub/api-error.ts';
import { parseFilter } from '../../../infra/local/web-pubsub/filter.ts';

const alice = {
  connectionId: 'c1',
  userId: 'Alice',
  groups: new Set(['pipeline.1', 'administrators']),
  protocol: 'json.webpubsub.azure.v1',
};
const nobody = { connectionId: 'c2', userId: undefined, groups: new Set<string>(), protocol: undefined };

describe('a filter matches', () => {
  test.each([
    ["userId eq 'Alice'", true, false],
    ["userId ne 'Alice'", false, true],
    ["USERID eq 'Alice'", true, false],
    ['userId eq null', false, true],
    ['userId ne null', true, false],
    ["userId in ('Bob', 'Alice')", true, false],
    ["userId in ('Bob', null)", false, true],
    ["'pipeline.1' in groups", true, false],
    ['userId in groups', false, false],
    ["not ('pipeline.1' in groups)", false, true],
    ["not 'pipeline.1' in groups", false, true],
    ["not(userId eq 'Alice')", false, true],
    ["not not (userId eq 'Alice')", true, false],
    ["connectionId eq 'c1' or connectionId eq 'c2'", true, true],
    ["connectionId eq 'c1' and userId eq 'Alice' or connectionId eq 'c2'", true, true],
    ["connectionId eq 'c1' and (userId eq 'Bob' or connectionId eq 'c2')", false, false],
    ['length(userId) eq 5', true, false],
    ['length(userId) gt 4', true, false],
    ['length(userId) ge 6', false, false],
    ['length(userId) lt 6', true, false],
    ['length(userId) le 5', true, false],
    ['length(groups) eq 2', true, false],
    ['length(userId) in (4, 5)', true, false],
    ["indexof(userId, 'ice') eq 2", true, false],
    ["indexof(userId, 'x') eq -1", true, true],
    ["concat(userId, '!') eq 'Alice!'", true, false],
    ["contains(userId, 'lic')", true, false],
    ["startswith(userId, 'Al')", true, false],
    ["endswith(userId, 'Al')", false, false],
    ["substring(userId, 2) eq 'ice'", true, false],
    ["substring(userId, 1, 2) eq 'li'", true, false],
    ["tolower(userId) eq 'alice'", true, false],
    ["toupper(userId) eq 'ALICE'", true, false],
    ["trim(' x ') eq 'x'", true, true],
    ["protocol eq 'json.webpubsub.azure.v1'", true, false],
    ["startswith(userId, 'A') eq true", true, false],
    ["contains(userId, 'x') eq false", true, true],
    ['true', true, true],
    [' ( ( true ) ) ', true, true],
    ["'it''s' eq 'it''s'", true, true],
    ['userId eq 5', false, false],
  ])('%s', (text, forAlice, forNobody) => {
    const filter = parseFilter(text);
    expect([filter(alice), filter(nobody)]).toEqual([forAlice, forNobody]);
  });

  test('whatever the SDK writes for a value', () => {
    fc.assert(
      fc.property(fc.string(), (userId) => {
        const filter = parseFilter(odata`userId eq ${userId} and ${userId} in groups`);
        expect(filter({ ...alice, userId, groups: new Set([userId]) })).toBe(true);
        expect(filter({ ...alice, userId: `${userId}x` })).toBe(false);
      }),
    );
  });

  test('of hundreds of conditions', () => {
    const filter = parseFilter(Array.from({ length: 500 }, (_, index) => `userId eq 'user-${index}'`).join(' or '));
    expect(filter({ ...alice, userId: 'user-499' })).toBe(true);
    expect(filter(alice)).toBe(false);
  });
});

describe('a filter is refused', () => {
  test.each([
    '',
    'userId',
    "'text'",
    '5',
    'null',
    'groups',
    'userId eq',
    "eq 'x'",
    "userId = 'x'",
    "userId eq 'x",
    'userId eq "x"',
    "userId eq 'x' and",
    "userId eq 'x' or userId",
    "userId eq 'x' userId",
    "(userId eq 'x'",
    "userId eq 'x')",
    "role eq 'x'",
    "not userId eq 'x'",
    "userId gt 'x'",
    "'a' in userId",
    "'a' in ()",
    "'a' in (userId)",
    "'a' in ('b'",
    'length()',
    "length('a', 'b') eq 1",
    'length(5) eq 1',
    'contains(userId) eq true',
    'contains(userId, 5)',
    'contains(groups, userId)',
    "matches(userId, '.*')",
    "constructor(userId) eq 'x'",
    'userId/length eq 5',
    "groups/any(g: g eq 'x')",
    'length(userId) eq 99999999999',
    'length(userId) add 1 eq 6',
    `${'('.repeat(200)}true${')'.repeat(200)}`,
    `${"concat('a', ".repeat(200)}'b'${')'.repeat(200)} eq 'x'`,
  ])('%s', (text) => {
    expect(() => parseFilter(text)).toThrow(expect.objectContaining({ status: 400, target: 'filter' }));
  });

  test('with one error, whatever it is', () => {
    const part = fc.constantFrom(
      'userId',
      "'a'",
      'in',
      'eq',
      'and',
      'not',
      '(',
      ')',
      ',',
      'groups',
      'length(',
      '5',
      'gt',
      'null',
      '$',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          expect(parseFilter(parts.join(' '))(alice)).toBeTypeOf('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('of any depth without a crash', () => {
    expect(() => parseFilter(`${'not '.repeat(100_000)}true`)).not.toThrow();
    expect(() => parseFilter(`true${' eq true'.repeat(100_000)}`)).toThrow(ApiError);
    expect(() => parseFilter('('.repeat(100_000))).toThrow(ApiError);
  });
});
