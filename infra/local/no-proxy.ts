const loopback = ['127.0.0.1', 'localhost'];

/**
 * The value of `NO_PROXY` that keeps a proxy of the caller's environment from getting what is meant for this machine: Azure's SDKs heed
 * `HTTPS_PROXY`, and make no exception for loopback.
 */
export function noProxy(caller: Readonly<Record<string, string | undefined>>): string {
  const given = (caller['NO_PROXY'] || caller['no_proxy'] || '').split(',').map((host) => host.trim());
  return [...new Set([...given.filter((host) => host !== ''), ...loopback])].join(',');
}
