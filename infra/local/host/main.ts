import { z } from 'zod';
import { childOptions, runAsChild } from '../child.ts';
import { startHost } from './index.ts';

const port = z.number().int().min(0).max(65_535);
/** HostOptions as JSON. */
const optionsSchema = z.object({
  scriptRoot: z.string().min(1),
  port,
  https: z.object({ port, certificate: z.string(), key: z.string() }).optional(),
  systemKey: z
    .string()
    .regex(/^[\w-]+$/)
    .optional(),
  database: z.string().min(1),
  environment: z.record(z.string(), z.string()).default({}),
});

await runAsChild(async () => {
  const host = await startHost(childOptions(optionsSchema));
  const endpoints = { app: host.url, ...(host.httpsUrl !== undefined && { appHttps: host.httpsUrl }) };
  return { endpoints, stop: () => host.stop() };
});
