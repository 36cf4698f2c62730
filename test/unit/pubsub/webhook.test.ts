import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { webhookOf } from '../../../lib/pubsub/webhook.ts';

const endpoint = 'https://Example.webpubsub.azure.com:8443';
const key = 'the access key';
const sign = (connectionId: string, by = key) =>
  `sha256=${createHmac('sha256', by).update(connectionId).digest('hex')}`;

describe('a handshake', () => {
  const { allows, host } = webhookOf({ endpoint, accessKey: undefined });

  test('is answered with the host of the service', () => {
    expect(host).toBe('example.webpubsub.azure.com');
  });

  test.each([
    'example.webpubsub.azure.com',
    'EXAMPLE.webpubsub.azure.com:443',
    'other.example , example.webpubsub.azure.com',
  ])('of %s is ours', (origins) => {
    expect(allows(origins)).toBe(true);
  });

  test.each([
    '',
    '*',
    ',',
    'webpubsub.azure.com',
    'example.webpubsub.azure.com.evil.example',
    'evil.example/example.webpubsub.azure.com',
    'https://example.webpubsub.azure.com',
    'example.webpubsub.azure.com:x',
  ])('of %j is not', (origins) => {
    expect(allows(origins)).toBe(false);
  });
});

describe('a signature', () => {
  const { isSigned } = webhookOf({ endpoint, accessKey: key });

  test('of either key of the service holds, for the connection that it is of', () => {
    expect(isSigned('c-1', sign('c-1'))).toBe(true);
    expect(isSigned('c-1', `${sign('c-1', 'the other key')},${sign('c-1')}`)).toBe(true);
    expect(isSigned('c-2', sign('c-1'))).toBe(false);
  });

  test('that is missing, cut short or made up never holds', () => {
    expect(isSigned('c-1', undefined)).toBe(false);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.nat({ max: 70 }).map((end) => sign('c-1').slice(0, end)),
        ),
        (made) => {
          expect(isSigned('c-1', made)).toBe(false);
        },
      ),
    );
  });

  test('is not asked for without a key to check it with', () => {
    expect(webhookOf({ endpoint, accessKey: undefined }).isSigned('c-1', undefined)).toBe(true);
  });
});
