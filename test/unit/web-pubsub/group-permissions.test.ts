import { describe, expect, test } from 'vitest';
import { GroupPermissions } from '../../../infra/local/web-pubsub/group-permissions.ts';
import { parsePattern } from '../../../infra/local/web-pubsub/wildcard-pattern.ts';

describe('a pattern', () => {
  test.each([
    ['team.*', 'team.a', true],
    ['team.*', 'team.', true],
    ['team.*', 'team.a.b', false],
    ['team.**', 'team.a.b', true],
    ['**', 'any.thing', true],
    ['*', '', true],
    ['?', 'a', true],
    ['?', '.', false],
    ['?', '', false],
    ['a?c', 'abc', true],
    ['*.state', 'pipeline.state', true],
    ['*a*a*a', 'bananas', false],
    ['*a*a*a*', 'bananas', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a\\\\b', 'a\\b', true],
    ['a+b', 'aab', false],
    ['[ab]', 'a', false],
    ['Team', 'team', false],
  ])('%s against %s: %s', (pattern, name, matches) => {
    expect(parsePattern(pattern)?.(name)).toBe(matches);
  });

  test.each(['', '\\', 'a\\', 'a\\b', '******', '*a*a*a*a*a*', 'x'.repeat(1025)])(
    'that the service ignores: %s',
    (pattern) => {
      expect(parsePattern(pattern)).toBeUndefined();
    },
  );

  test('takes no longer for a name that it nearly matches', () => {
    const from = performance.now();
    expect(parsePattern('**a**a*b')?.('a'.repeat(1024))).toBe(false);
    expect(performance.now() - from).toBeLessThan(500);
  });
});

describe('the permissions of a connection', () => {
  test('are none without a role, and none for a role that there is not', () => {
    const roles = ['webpubsub.joinleavegroup', 'webpubsub.joinLeaveGroupx', 'joinLeaveGroup', 'webpubsub.', '*'];
    const permissions = new GroupPermissions(roles);
    expect(permissions.allows('joinLeaveGroup', 'g')).toBe(false);
    expect(permissions.allows('sendToGroup', 'g')).toBe(false);
  });

  test('are for one group by its very name, which may hold dots', () => {
    const permissions = new GroupPermissions(['webpubsub.sendToGroup.a.b', 'webpubsub.joinLeaveGroup.*']);
    expect(permissions.allows('sendToGroup', 'a.b')).toBe(true);
    expect(permissions.allows('sendToGroup', 'a')).toBe(false);
    expect(permissions.allows('sendToGroup', 'A.B')).toBe(false);
    expect(permissions.allows('joinLeaveGroup', '*')).toBe(true);
    expect(permissions.allows('joinLeaveGroup', 'x')).toBe(false);
  });

  test('are for every group, or for those of a pattern', () => {
    const permissions = new GroupPermissions(['webpubsub.sendToGroup', 'webpubsub.joinLeaveGroups.team.?']);
    expect(permissions.allows('sendToGroup', 'anything')).toBe(true);
    expect(permissions.allows('joinLeaveGroup', 'team.1')).toBe(true);
    expect(permissions.allows('joinLeaveGroup', 'team.12')).toBe(false);
  });

  test('of one group override the others until they are granted again', () => {
    const permissions = new GroupPermissions(['webpubsub.sendToGroups.**']);
    permissions.revoke('sendToGroup', 'g');
    expect(permissions.allows('sendToGroup', 'g')).toBe(false);
    expect(permissions.allows('sendToGroup', 'h')).toBe(true);
    expect(permissions.grant('sendToGroup', 'g')).toBe(true);
    expect(permissions.allows('sendToGroup', 'g')).toBe(true);
  });

  test('hold 1,000 groups', () => {
    const permissions = new GroupPermissions([]);
    const granted = Array.from({ length: 1001 }, (_, index) => permissions.grant('sendToGroup', `g${index}`));
    expect(granted.filter(Boolean)).toHaveLength(1000);
    expect(permissions.grant('sendToGroup', 'g7')).toBe(true);
  });
});
