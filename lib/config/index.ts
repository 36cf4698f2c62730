export { type Config, parseConfig } from './config.ts';
export { ConfigError } from './config-error.ts';
export { settings } from './settings.ts';
