import { describe, expect, test } from 'vitest';
import { isEventName, isGroupName, isHubName, isOwnHost } from '../../../infra/local/web-pubsub/names.ts';

describe('this service goes by the names of the loopback interface, with its port', () => {
  test.each(['localhost:8443', 'LOCALHOST:8443', '127.0.0.1:8443', '[::1]:8443', 'pubsub.localhost:8443'])(
    '%s',
    (host) => {
      expect(isOwnHost(host, 8443)).toBe(true);
    },
  );

  test.each([
    'localhost',
    'localhost:8444',
    'example.com:8443',
    'localhost.example.com:8443',
    'notlocalhost:8443',
    '127.0.0.2:8443',
    'user@localhost:8443',
    'localhost:8443/path',
    'localhost:8443?x',
    'localhost :8443',
    '',
  ])('not %s', (host) => {
    expect(isOwnHost(host, 8443)).toBe(false);
  });

  test('the port of HTTPS need not be said', () => {
    expect(isOwnHost('localhost', 443)).toBe(true);
  });
});

test('names are what the service takes', () => {
  expect(['rendering', 'a', 'A_1`,.[]'].every(isHubName)).toBe(true);
  expect(['', '1', 'a-b', 'a/b', 'a b', 'a'.repeat(129)].some(isHubName)).toBe(false);
  expect(['g', 'pipeline.1', 'a b', 'ü', 'g'.repeat(1024)].every(isGroupName)).toBe(true);
  expect(['', ' ', '\t\n', 'g'.repeat(1025)].some(isGroupName)).toBe(false);
  expect(['state', 'a.b-c_1'].every(isEventName)).toBe(true);
  expect(['', '1a', 'a b', 'a/b', 'a'.repeat(129)].some(isEventName)).toBe(false);
});
