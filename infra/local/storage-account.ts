/** The account that every storage emulator has; its key is published with Azurite and guards nothing. */
export const storageAccount = {
  name: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
} as const;

/** Where the storage account answers: URLs with the account's name as their path and no slash at the end. */
export interface StorageEndpoints {
  readonly blob: string;
  readonly queue: string;
  readonly table: string;
}

/**
 * The connection string of the local storage account, as `AzureWebJobsStorage` takes it. The emulator takes the account's key over HTTPS
 * too, beside tokens.
 */
export function connectionString(endpoints: StorageEndpoints): string {
  return [
    `DefaultEndpointsProtocol=${new URL(endpoints.blob).protocol.replace(':', '')}`,
    `AccountName=${storageAccount.name}`,
    `AccountKey=${storageAccount.key}`,
    `BlobEndpoint=${endpoints.blob};`,
  ]
    .join(';')
    .concat(`QueueEndpoint=${endpoints.queue};TableEndpoint=${endpoints.table};`);
}
