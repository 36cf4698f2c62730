import { expect, test } from 'vitest';
import { groupOfJoinRole, isRole, joinRole, pipelineGroup } from '#lib/pubsub';

test.each([
  'webpubsub.joinLeaveGroup',
  'webpubsub.sendToGroup',
  'webpubsub.joinLeaveGroup.pipeline.duck',
  'webpubsub.sendToGroup.a.b.c',
  'webpubsub.joinLeaveGroups.pipeline.*',
  'webpubsub.sendToGroups.**',
])('Web PubSub knows the role %s', (role) => {
  expect(isRole(role)).toBe(true);
});

test.each([
  '',
  'webpubsub',
  'webpubsub.joinleavegroup.x',
  'webpubsub.joinLeaveGroups',
  'webpubsub.joinLeaveGroup.',
  'webpubsub.joinLeaveGroup. ',
  'webpubsub.joinLeaveGroupx',
  ' webpubsub.joinLeaveGroup',
  'webpubsub.joinLeaveGroup.a\nb',
  `webpubsub.joinLeaveGroup.${'x'.repeat(1025)}`,
  'Administrator',
])('and would grant nothing for %j', (role) => {
  expect(isRole(role)).toBe(false);
});

test('the role of one group is told from all that is wider', () => {
  const group = pipelineGroup('duck');
  expect(groupOfJoinRole(joinRole(group))).toBe('pipeline.duck');
  for (const other of ['', '.', 's.pipeline.*', 's.**']) {
    expect(groupOfJoinRole(`webpubsub.joinLeaveGroup${other}`)).toBeUndefined();
  }
  expect(groupOfJoinRole('webpubsub.sendToGroup.pipeline.duck')).toBeUndefined();
});
