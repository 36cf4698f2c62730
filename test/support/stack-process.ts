import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type StackEndpoints, stackEndpoints } from '../../infra/local/endpoints.ts';
import { trustCertificate } from '../../infra/local/trusted-certificates.ts';

const program = fileURLToPath(new URL('../kill/stack.ts', import.meta.url));
const announcement = z.object({ endpoints: stackEndpoints });

/** The whole stack as a command: a supervisor in a process group of its own, as a shell starts one. */
export interface StackProcess {
  readonly pid: number;
  /** Fulfilled when everything answers and this process trusts its certificates; undefined where the supervisor ended before. */
  readonly ready: Promise<StackEndpoints | undefined>;
  /** Fulfilled with the supervisor's exit code; null where a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** Starts the stack on what is built already. Its ports are kept in the directory, so that a second start answers where the first did. */
export async function spawnStack(
  directory: string,
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void = () => undefined,
): Promise<StackProcess> {
  const temporary = join(directory, 'tmp');
  await mkdir(temporary, { recursive: true });
  const child = spawn(
    process.execPath,
    [program, directory, JSON.stringify(environment)],
    // What a killed process leaves in its temporary directory must not stay on this computer.
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: temporary } },
  );
  createInterface({ input: child.stderr }).on('line', onLine);
  const exited = once(child, 'exit').then(([code]) => z.number().nullable().parse(code));
  const ready = Promise.race([announced(child), exited.then(() => undefined)]);
  return { pid: child.pid ?? 0, ready, exited };
}

async function announced(child: ChildProcess): Promise<StackEndpoints | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const { endpoints } = announcement.parse(JSON.parse(line));
    await trustCertificate(endpoints.caCertificate);
    return endpoints;
  }
  return undefined;
}
