import { createHash } from 'node:crypto';
import { storageAccount } from './storage-account.ts';

/** One blob as a listing shows it. */
export interface ListedBlob {
  readonly container: string;
  /** Its name in the container, `folder/file`. */
  readonly path: string;
  readonly url: string;
  /** Without quotes, as events carry it. */
  readonly eTag: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly lastModified: Date;
}

/**
 * The event that Azure Storage sends for a blob, in the Event Grid schema
 * (learn.microsoft.com/azure/event-grid/event-schema-blob-storage). The same blob with the same ETag gives the same id: a repeated event is recognisable.
 */
export function blobCreated(blob: ListedBlob) {
  const id = uuidOf(`${blob.container}/${blob.path} ${blob.eTag}`);
  return {
    id,
    topic: `/subscriptions/local/resourceGroups/local/providers/Microsoft.Storage/storageAccounts/${storageAccount.name}`,
    subject: `/blobServices/default/containers/${blob.container}/blobs/${blob.path}`,
    eventType: 'Microsoft.Storage.BlobCreated',
    eventTime: blob.lastModified.toISOString(),
    data: {
      api: 'PutBlob',
      clientRequestId: id,
      requestId: id,
      eTag: blob.eTag,
      contentType: blob.contentType,
      contentLength: blob.bytes,
      blobType: 'BlockBlob',
      url: blob.url,
      sequencer: blob.lastModified.getTime().toString(16).padStart(32, '0'),
      storageDiagnostics: { batchId: id },
    },
    dataVersion: '',
    metadataVersion: '1',
  };
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
