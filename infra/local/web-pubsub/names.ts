const HUB = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
const EVENT = /^[a-z][a-z0-9_.-]{0,127}$/i;
const GROUP_LENGTH = 1024;

/** Names of hubs are the same in any case. */
export function isHubName(name: string): boolean {
  return HUB.test(name);
}

export function isGroupName(name: string): boolean {
  return name.length <= GROUP_LENGTH && name.trim() !== '';
}

export function isEventName(name: string): boolean {
  return EVENT.test(name);
}

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether `host[:port]` is one of the names that this service goes by on this machine. */
export function isOwnHost(host: string, port: number): boolean {
  const url = URL.parse(`https://${host}`);
  if (url === null || url.host !== host.toLowerCase()) return false;
  const known = LOOPBACK_NAMES.has(url.hostname) || url.hostname.endsWith('.localhost');
  return known && (url.port === '' ? 443 : Number(url.port)) === port;
}
