import { createHash, timingSafeEqual } from 'node:crypto';
import { type Endpoint, type HostRequest, sendEmpty } from './http-server.ts';

/**
 * Lets nobody without the system key pass to the extensions' webhooks, as in Azure: it is the query parameter `code` or the header
 * `x-functions-key`. In the path of the local RPC endpoint, which is the host's own here, the key is the first segment.
 */
export function systemKeyGuard(systemKey: string): Endpoint {
  const expected = digest(systemKey);
  return async (request) => {
    const given = keyIn(request);
    if (given === 'not-needed' || given.some((key) => timingSafeEqual(digest(key), expected))) return false;
    sendEmpty(request.response, 401);
    return true;
  };
}

function keyIn({ message, url }: HostRequest): readonly string[] | 'not-needed' {
  const [, first, second] = url.pathname.toLowerCase().split('/');
  if (first === 'durabletask') return [url.pathname.split('/')[2] ?? ''];
  if (first !== 'runtime' || second !== 'webhooks') return 'not-needed';
  return [...url.searchParams.getAll('code'), ...(message.headersDistinct['x-functions-key'] ?? [])];
}

/** Of one length for all keys, so that the comparison tells nothing about them. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
