import { z } from 'zod';

const text = z.string().trim().min(1);

/** What a session host is told at its start, by name in the environment; the two of the machine also as arguments. */
const settings = z.object({
  SESSION_ID: text.describe('The session that the machine is for.'),
  MACHINE_NAME: text.describe('The name of the machine, also --machine.'),
  MACHINE_DIRECTORY: text.describe('A folder of the machine, its own, that exists already, also --directory.'),
  HEARTBEAT_URL: z.url({ protocol: /^https?$/ }).describe('Where heartbeats are posted.'),
  HEARTBEAT_SECRET: text.describe('The bearer secret of the heartbeats.'),
  SILENCE_SECONDS: z.coerce
    .number()
    .min(1)
    .max(3600)
    .describe('Without an answered heartbeat for so long it ends itself.'),
  SESSION_HOST_HOSTNAME: text.default('127.0.0.1').describe('The host name at which clients reach the machine.'),
  SESSION_HOST_BIND: text.default('127.0.0.1').describe('The address to listen on.'),
  ASSET_MAX_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(2 ** 32)
    .describe('Largest asset it loads, in bytes.'),
});

export type Settings = Readonly<z.output<typeof settings>>;

/** @throws Error naming every setting that is missing or wrong, and never a value: one of them is a secret */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = settings.safeParse(environment);
  if (parsed.success) return Object.freeze(parsed.data);
  const shape: Readonly<Record<string, z.ZodType>> = settings.shape;
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = String(path[0]);
    return `${name}: ${message}. ${shape[name]?.description ?? ''}`;
  });
  throw new Error(`The session host cannot start with these settings:\n  ${problems.join('\n  ')}`);
}
