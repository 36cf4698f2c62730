export { type Host, type HostOptions, startHost } from './host.ts';
export { HostError, type HostErrorCode } from './host-error.ts';
export type { HostLog, LogLevel } from './host-log.ts';
