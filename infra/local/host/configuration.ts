import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { HostError, messageOf } from './host-error.ts';

/** What the host takes from the app's package.json and host.json. */
export interface AppConfiguration {
  /** Absolute path of the app's entry file. */
  readonly entry: string;
  readonly moduleType: 'commonjs' | 'module';
  /** Without slashes at its ends; empty for none. */
  readonly routePrefix: string;
  readonly hubName: string;
  readonly maxConcurrentActivities: number;
}

const packageSchema = z.object({ main: z.string().min(1), type: z.enum(['commonjs', 'module']).default('commonjs') });

const hostSchema = z.object({
  version: z.literal('2.0'),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().optional() }).optional(),
      durableTask: z
        .object({
          hubName: z.string().min(1).optional(),
          maxConcurrentActivityFunctions: z.number().int().positive().optional(),
        })
        .optional(),
    })
    .optional(),
});

/** Reads package.json and host.json of `scriptRoot`. Throws HostError `bad-configuration` with the file and the field. */
export async function readConfiguration(scriptRoot: string): Promise<AppConfiguration> {
  const manifest = await readJson(scriptRoot, 'package.json', packageSchema);
  const host = await readJson(scriptRoot, 'host.json', hostSchema);
  const durable = host.extensions?.durableTask;
  return {
    entry: join(scriptRoot, manifest.main),
    moduleType: manifest.type,
    routePrefix: (host.extensions?.http?.routePrefix ?? 'api').replaceAll(/^\/+|\/+$/g, ''),
    hubName: durable?.hubName ?? 'TestHubName',
    // The extension's own default: ten per core.
    maxConcurrentActivities: durable?.maxConcurrentActivityFunctions ?? 10 * availableParallelism(),
  };
}

async function readJson<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(folder, name);
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new HostError('bad-configuration', `${path} cannot be used: ${why}`, { cause: error });
  }
}
