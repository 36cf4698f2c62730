import type { Config } from '#lib/config';

/** The settings that hold a secret where a managed identity could do, to be warned about by name. */
export function secretsInSettings(config: Config): string[] {
  const { storage } = config;
  const accountKey =
    storage.kind === 'connection-string' && /AccountKey=|SharedAccessSignature=/i.test(storage.connectionString);
  const webPubSubSecret = /(?:^|;)\s*(?:AccessKey|ClientSecret)\s*=/i.test(config.WEB_PUBSUB_CONNECTION_STRING ?? '');
  return [
    ...(accountKey ? ['AzureWebJobsStorage'] : []),
    ...(config.AZURE_CLIENT_SECRET === undefined ? [] : ['AZURE_CLIENT_SECRET']),
    ...(config.MIXEDREALITY_ACCOUNT_KEY === undefined ? [] : ['MIXEDREALITY_ACCOUNT_KEY']),
    ...(webPubSubSecret ? ['WEB_PUBSUB_CONNECTION_STRING'] : []),
  ];
}
