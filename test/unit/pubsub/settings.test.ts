import { expect, test } from 'vitest';
import { ConfigError } from '#lib/config';
import { testConfig } from '../../support/records.ts';

const settingsWith = (given: Readonly<Record<string, string>>) => testConfig('UseDevelopmentStorage=true', given);

test('live events have defaults, and are off until an endpoint is named', () => {
  expect(settingsWith({})).toMatchObject({
    WEB_PUBSUB_HUB: 'rendering',
    CLIENT_TOKEN_MAX_MINUTES: 60,
    EVENT_BACKLOG: 1000,
  });
  expect(settingsWith({}).WEB_PUBSUB_ENDPOINT).toBeUndefined();
});

test.each([
  'https://rendering.webpubsub.azure.com',
  'https://rendering.webpubsub.azure.com/',
  'https://rendering.webpubsub.azure.com:443',
])('the endpoint is an origin: %s', (WEB_PUBSUB_ENDPOINT) => {
  expect(settingsWith({ WEB_PUBSUB_ENDPOINT }).WEB_PUBSUB_ENDPOINT).toBe('https://rendering.webpubsub.azure.com');
});

test.each([
  ['WEB_PUBSUB_ENDPOINT', 'http://localhost:8080'],
  ['WEB_PUBSUB_ENDPOINT', 'wss://rendering.webpubsub.azure.com'],
  ['WEB_PUBSUB_ENDPOINT', 'rendering.webpubsub.azure.com'],
  ['WEB_PUBSUB_ENDPOINT', 'https://rendering.webpubsub.azure.com/client'],
  ['WEB_PUBSUB_ENDPOINT', 'https://rendering.webpubsub.azure.com?a=b'],
  ['WEB_PUBSUB_ENDPOINT', 'https://me@rendering.webpubsub.azure.com'],
  ['WEB_PUBSUB_HUB', '1rendering'],
  ['WEB_PUBSUB_HUB', 'rendering/x'],
  ['WEB_PUBSUB_HUB', 'x'.repeat(129)],
  ['CLIENT_TOKEN_MAX_MINUTES', '0'],
  ['CLIENT_TOKEN_MAX_MINUTES', '1441'],
  ['EVENT_BACKLOG', '0'],
])('%s cannot be %s', (name, value) => {
  expect(() => settingsWith({ [name]: value })).toThrow(ConfigError);
});
