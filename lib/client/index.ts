export { type CallOptions, type ClientLease, type ClientOptions, RemoteRenderingClient } from './client.ts';
export { ClientError } from './client-error.ts';
