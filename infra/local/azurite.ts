import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import blobConfiguration from 'azurite/dist/src/blob/BlobConfiguration.js';
import blobServer from 'azurite/dist/src/blob/BlobServer.js';
import queueConfiguration from 'azurite/dist/src/queue/QueueConfiguration.js';
import queueServer from 'azurite/dist/src/queue/QueueServer.js';
import tableConfiguration from 'azurite/dist/src/table/TableConfiguration.js';
import tableServer from 'azurite/dist/src/table/TableServer.js';
import { z } from 'zod';
import { type ChildService, childOptions, runAsChild } from './child.ts';
import { answerWhenSaved } from './durable-answers.ts';
import { sharedSave } from './shared-save.ts';
import { storageAccount } from './storage-account.ts';

const host = '127.0.0.1';
/** Longer than clients idle between two requests of one job, so that none writes into a connection that is just being closed. */
const keepAliveSeconds = 60;

const port = z.number().int().min(0).max(65_535);
const options = z.object({
  /** Absolute path; holds everything that the account holds. */
  directory: z.string(),
  /** 0 stands for any free port. */
  ports: z.object({ blob: port, queue: port, table: port }),
  /** Absolute paths of PEM files. With them it speaks HTTPS and takes Microsoft Entra tokens, which it does over HTTPS alone. */
  tls: z.object({ certificate: z.string(), key: z.string() }).optional(),
});

/** Azurite as a child of the supervisor. Unlike stock Azurite it acknowledges no write before the write is on disk. */
await runAsChild(() => startAzurite(childOptions(options)));

async function startAzurite({ directory, ports, tls }: z.output<typeof options>): Promise<ChildService> {
  await mkdir(directory, { recursive: true });
  const security = [tls?.certificate ?? '', tls?.key ?? '', '', tls && 'basic'] as const;
  // The API version check is off: the SDKs are newer than Azurite, and use nothing that it lacks.
  const withExtents = (name: string) =>
    [
      join(directory, `${name}.json`),
      join(directory, `${name}-extents.json`),
      [{ locationId: 'Default', locationPath: join(directory, `${name}-extents`), maxConcurrency: 50 }],
      ...([false, undefined, false, undefined, false, true] as const),
      ...security,
    ] as const;
  const blob = new blobServer.default(
    new blobConfiguration.default(host, ports.blob, keepAliveSeconds, ...withExtents('blob')),
  );
  const queue = new queueServer.default(
    new queueConfiguration.default(host, ports.queue, keepAliveSeconds, ...withExtents('queue')),
  );
  const tables = join(directory, 'table.json');
  const table = new tableServer.default(
    new tableConfiguration.default(
      host,
      ports.table,
      keepAliveSeconds,
      tables,
      ...([false, false, undefined, undefined, false, true] as const),
      ...security,
    ),
  );

  const servers = [blob, queue, table];
  const saves = servers.map(saveBeforeAnswering);
  await Promise.all(servers.map((server) => server.start()));
  for (const database of servers.flatMap(databasesOf)) database.autosaveDisable();
  const scheme = tls ? 'https' : 'http';
  return {
    endpoints: { blob: urlOf(blob, scheme), queue: urlOf(queue, scheme), table: urlOf(table, scheme) },
    async stop() {
      await Promise.all(servers.map((server) => server.close()));
      await Promise.all(saves.map((save) => save()));
    },
  };
}

function saveBeforeAnswering(server: AzuriteServer): () => Promise<void> {
  const save = sharedSave(async () => {
    for (const database of databasesOf(server)) await promisify(database.saveDatabase.bind(database))();
  });
  // Before Azurite's own listener, which begins to answer.
  server.httpServer.prependListener('request', (request, response) => answerWhenSaved(request, response, save));
  return save;
}

/** Extents first: whatever a saved blob refers to must be known after a kill between the two. */
function databasesOf(server: AzuriteServer): readonly AzuriteDatabase[] {
  const extents = server.extentMetadataStore ? [server.extentMetadataStore.db] : [];
  return [...extents, server.metadataStore.db];
}

function urlOf(server: AzuriteServer, scheme: 'http' | 'https'): string {
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('Azurite listens on no port.');
  return `${scheme}://${host}:${address.port}/${storageAccount.name}`;
}
