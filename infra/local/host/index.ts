export { startHost } from './host.ts';
