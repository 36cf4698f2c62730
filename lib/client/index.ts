export { RemoteRenderingClient } from './client.ts';
export { ClientError } from './client-error.ts';
