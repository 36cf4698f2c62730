import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { BlobServiceClient, type BlockBlobClient, RestError } from '@azure/storage-blob';
import type { StorageAccess } from '#lib/identity';
import { type SignedUrl, SignedUrls } from './signed-urls.ts';
import { StorageError } from './storage-error.ts';

/** A service copy of our own blobs is over in seconds; its SAS outlives the slowest by far. */
const COPY_SECONDS = 3600;

/** As many blobs as storage lists at once. */
const PAGE = 5000;

/** One blob: its container and its name there. */
export interface BlobName {
  readonly container: string;
  readonly name: string;
}

interface ListedBlob {
  readonly size: number;
  readonly eTag: string;
}

/** The blobs of one storage account: models in, converted assets out. */
export class Blobs {
  readonly #service: BlobServiceClient;
  readonly #urls: SignedUrls;

  constructor(storage: StorageAccess, now: () => Date) {
    this.#service =
      storage.kind === 'identity'
        ? new BlobServiceClient(storage.blobServiceUri, storage.credential)
        : BlobServiceClient.fromConnectionString(storage.connectionString);
    this.#urls = new SignedUrls(this.#service, storage.kind, now);
  }

  /** Makes the containers that are missing. */
  async prepare(containers: readonly string[]): Promise<void> {
    await Promise.all(containers.map((name) => this.#service.getContainerClient(name).createIfNotExists()));
  }

  /** Size in bytes, undefined where there is no such blob. */
  async size(blob: BlobName): Promise<number | undefined> {
    try {
      return (await this.#client(blob).getProperties()).contentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /**
   * The blobs whose name starts so, by name, with their sizes in bytes and their ETags; not all of them where they are very many.
   * @param most so many are listed, or up to a page more
   */
  async list(
    { container, prefix }: { readonly container: string; readonly prefix: string },
    most: number,
    abortSignal?: AbortSignal,
  ): Promise<{ readonly blobs: ReadonlyMap<string, ListedBlob>; readonly isComplete: boolean }> {
    const blobs = new Map<string, ListedBlob>();
    const options = { prefix, ...(abortSignal && { abortSignal }) };
    for await (const { segment } of this.#service
      .getContainerClient(container)
      .listBlobsFlat(options)
      .byPage({
        maxPageSize: Math.min(PAGE, most),
      })) {
      if (blobs.size >= most) return { blobs, isComplete: false };
      for (const { name, properties } of segment.blobItems) {
        blobs.set(name, { size: properties.contentLength ?? 0, eTag: properties.etag });
      }
    }
    return { blobs, isComplete: true };
  }

  /** Some bytes of a blob; fewer where it ends before. @throws StorageError `blob_missing` */
  async read(blob: BlobName, offset: number, length: number, abortSignal?: AbortSignal): Promise<Uint8Array> {
    try {
      // Not downloadToBuffer: it fails where the blob ends before.
      const options = { ...(abortSignal && { abortSignal }) };
      const { readableStreamBody } = await this.#client(blob).download(offset, length, options);
      return readableStreamBody === undefined ? new Uint8Array(0) : await buffer(readableStreamBody);
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 416) return new Uint8Array(0);
      throw isMissing(error) ? missing(blob, error) : error;
    }
  }

  /**
   * Streams a blob to a file and hashes it on the way.
   * @throws StorageError `blob_missing`, or `too_large` above `maxBytes`
   */
  async download(
    blob: BlobName,
    path: string,
    maxBytes: number,
    abortSignal?: AbortSignal,
  ): Promise<{ readonly bytes: number; readonly sha256: string }> {
    const response = await this.#client(blob)
      .download(undefined, undefined, { ...(abortSignal && { abortSignal }) })
      .catch((error: unknown) => {
        throw isMissing(error) ? missing(blob, error) : error;
      });
    const bytes = response.contentLength ?? 0;
    if (bytes > maxBytes) {
      throw new StorageError('too_large', `${blob.name} has ${bytes} bytes; ${maxBytes} are left of what is allowed.`);
    }
    if (response.readableStreamBody === undefined) throw missing(blob, undefined);
    const hash = createHash('sha256');
    const hashing = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    await mkdir(dirname(path), { recursive: true });
    const stop = { ...(abortSignal && { signal: abortSignal }) };
    await pipeline(response.readableStreamBody, hashing, createWriteStream(path), stop);
    return { bytes, sha256: hash.digest('hex') };
  }

  /** Uploads a file; a blob of that name is replaced. */
  async upload(blob: BlobName, path: string, contentType: string, abortSignal?: AbortSignal): Promise<void> {
    const options = { blobHTTPHeaders: { blobContentType: contentType }, ...(abortSignal && { abortSignal }) };
    await this.#client(blob).uploadFile(path, options);
  }

  /** Removes a blob; one that is not there is a success. */
  async remove(blob: BlobName): Promise<void> {
    await this.#client(blob).deleteIfExists();
  }

  /** Writes a JSON document and answers with its size in bytes; a blob of that name is replaced. */
  async writeJson(blob: BlobName, document: unknown): Promise<number> {
    const bytes = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
    await this.#client(blob).uploadData(bytes, { blobHTTPHeaders: { blobContentType: 'application/json' } });
    return bytes.length;
  }

  /** @throws StorageError `blob_missing` */
  async readJson(blob: BlobName): Promise<unknown> {
    try {
      return JSON.parse((await this.#client(blob).downloadToBuffer()).toString('utf8'));
    } catch (error) {
      throw isMissing(error) ? missing(blob, error) : error;
    }
  }

  /** Copies within the account, in the service. The source always goes with a SAS, which Azure wants and Azurite does not. */
  async copy(from: BlobName, to: BlobName): Promise<void> {
    const { url } = await this.readUrl(from, COPY_SECONDS);
    const poller = await this.#client(to).beginCopyFromURL(url, { intervalInMs: 200 });
    await poller.pollUntilDone();
  }

  /** A URL that reads this one blob for so many seconds. */
  async readUrl(blob: BlobName, seconds: number): Promise<SignedUrl> {
    return await this.#urls.sign(this.#client(blob), 'read', seconds);
  }

  /**
   * A URL that creates this one blob, by one Put Blob, within so many seconds. It cannot replace a blob that is there, nor stage blocks,
   * which would need the right to write.
   */
  async createUrl(blob: BlobName, seconds: number): Promise<SignedUrl> {
    return await this.#urls.sign(this.#client(blob), 'create', seconds);
  }

  /** The blob's address, without any right to read it. */
  address(blob: BlobName): string {
    return this.#client(blob).url;
  }

  #client(blob: BlobName): BlockBlobClient {
    return this.#service.getContainerClient(blob.container).getBlockBlobClient(blob.name);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof RestError && error.statusCode === 404;
}

function missing(blob: BlobName, cause: unknown): StorageError {
  return new StorageError('blob_missing', `There is no blob ${blob.name} in the container ${blob.container}.`, {
    cause,
  });
}
