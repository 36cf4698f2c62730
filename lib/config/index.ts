export { type Config, parseConfig, type StorageSettings } from './config.ts';
export { ConfigError } from './config-error.ts';
export { settings } from './settings.ts';
