import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { runCommand, UsageError } from './arguments.ts';
import { IdentityError, type RoleName, signDevelopmentToken } from './identity/index.ts';
import { readJson } from './json-file.ts';

const help = `
npm run token: an access token of a user on this machine, for the stack that npm start runs. Prints the token and nothing else.

Usage: npm run --silent token -- --role client|administrator --name NAME [options]

  --role ROLE      client or administrator
  --name NAME      who the token speaks for: 1 to 64 letters, digits, ".", "_" and "-"; the same name is the same user, always
  --minutes N      how long the token holds, 1 to 1440 (60)
  --directory DIR  where the stack keeps its state (.local)
  --help           this text
`;

const scriptRoot = fileURLToPath(new URL('../..', import.meta.url));
const AUDIENCE = 'api://remote-rendering-functions';
const MAX_MINUTES = 1440;

const options = {
  role: { type: 'string' },
  name: { type: 'string' },
  minutes: { type: 'string', default: '60' },
  directory: { type: 'string', default: join(scriptRoot, '.local') },
} as const;
const endpoints = z.object({ authority: z.url(), tenantId: z.string() });

await runCommand({ help, options }, async (given) => {
  const role = readRole(given.role);
  const name = readName(given.name);
  const lifetimeSeconds = readMinutes(given.minutes) * 60;
  const directory = resolve(given.directory);
  const stack = await readJson(join(directory, 'endpoints.json'), endpoints);
  if (stack === undefined) {
    throw new IdentityError(`No stack runs in ${directory}: start it with "npm start", then ask again.`);
  }
  const now = new Date();
  const token = await signDevelopmentToken({
    ...stack,
    directory,
    role,
    name,
    audience: AUDIENCE,
    lifetimeSeconds,
    now,
  });
  process.stdout.write(`${token}\n`);
  return 0;
});

function readRole(text: string | undefined): RoleName {
  if (text === 'client' || text === 'administrator') return text;
  throw new UsageError('--role must be client or administrator.');
}

function readName(text: string | undefined): string {
  if (text !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  throw new UsageError('--name must be given: 1 to 64 letters, digits, ".", "_" and "-".');
}

function readMinutes(text: string): number {
  const minutes = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (minutes >= 1 && minutes <= MAX_MINUTES) return minutes;
  throw new UsageError(`--minutes takes a number from 1 to ${MAX_MINUTES}.`);
}
