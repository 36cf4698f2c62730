import { z } from 'zod';
import { runAsChild } from '../child.ts';
import { startHost } from './index.ts';

/** The program's one argument: HostOptions as JSON text. */
const optionsSchema = z.object({
  scriptRoot: z.string().min(1),
  port: z.number().int().min(0).max(65_535),
  database: z.string().min(1),
  environment: z.record(z.string(), z.string()).default({}),
});

await runAsChild(async () => {
  const host = await startHost(optionsSchema.parse(JSON.parse(process.argv[2] ?? '{}')));
  return { endpoints: { app: host.url }, stop: () => host.stop() };
});
