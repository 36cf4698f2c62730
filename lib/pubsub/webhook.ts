import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Service } from './service.ts';

/** Tells the requests of the service, to who wants its events, from those of others (contract 8). */
export interface Webhook {
  /** Whether one of the origins that a handshake names, with commas between them, is the service's host; a port does not count. */
  allows(origins: string): boolean;
  /** What a handshake is answered with. */
  readonly host: string;
  /** Whether the service's access key signed the id of a connection. Always true without a key: then a token must prove who asks. */
  isSigned(connectionId: string, signatures: string | undefined): boolean;
}

export function webhookOf({ endpoint, accessKey }: Pick<Service, 'endpoint' | 'accessKey'>): Webhook {
  const host = new URL(endpoint).hostname;
  return {
    host,
    allows: (origins) => origins.split(',').some((origin) => hostIn(origin) === host),
    isSigned(connectionId, signatures = '') {
      if (accessKey === undefined) return true;
      const expected = `sha256=${createHmac('sha256', accessKey).update(connectionId).digest('hex')}`;
      // One for each of the service's two keys.
      return signatures.split(',').some((signature) => isSame(signature.trim().toLowerCase(), expected));
    },
  };
}

function hostIn(origin: string): string {
  return origin.trim().toLowerCase().replace(/:\d+$/, '');
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
