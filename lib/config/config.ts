import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { settings } from './settings.ts';

/** The app's settings, read once and frozen. `controlPlaneUrl` has no slash at its end. */
export type Config = Readonly<z.output<typeof settings>> & { readonly controlPlaneUrl: string };

/**
 * Reads every setting from an environment.
 * @throws ConfigError naming all settings that are missing or wrong
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  // An app setting that is there but empty means the same as none: people clear a value and leave its name.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settings.safeParse(given);
  if (!parsed.success) throw new ConfigError(problemsOf(parsed.error));
  const controlPlaneUrl = parsed.data.CONTROL_PLANE_URL ?? `https://${parsed.data.WEBSITE_HOSTNAME}`;
  return Object.freeze({ ...parsed.data, controlPlaneUrl: controlPlaneUrl.replace(/\/$/, '') });
}

function problemsOf(error: z.ZodError): string[] {
  const shape: Readonly<Record<string, z.ZodType>> = settings.shape;
  return error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}: ${issue.message}. ${shape[name]?.description ?? ''}`;
  });
}
