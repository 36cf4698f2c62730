import { expect, test } from 'vitest';
import { type Reason, terminalStateOf } from '#lib/records';

const stopped: Reason[] = [
  'user_stop',
  'admin_stop',
  'lease_expired',
  'hard_cap',
  'never_connected',
  'idle',
  'reconnect_timeout',
  'revoked',
  'budget',
  'app_exit',
];
const failed: Reason[] = [
  'missing_files',
  'input_refused',
  'limit',
  'conversion_failed',
  'start_timeout',
  'capacity',
  'quota',
  'host_lost',
  'provider_error',
  'orphan_reclaimed',
  'internal_error',
];

test.each([
  ...stopped.map((reason) => [reason, 'stopped'] as const),
  ['completed', 'converted'] as const,
  ...failed.map((reason) => [reason, 'failed'] as const),
])('%s belongs to %s', (reason, state) => {
  expect(terminalStateOf(reason)).toBe(state);
});
