import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ComputeError } from './compute-error.ts';
import { lookAtMachine, stopMachine } from './local-machine.ts';
import {
  createMachineFolder,
  isMachineName,
  machineFolderOf,
  machineFoldersIn,
  openLog,
  removeMachineFolder,
  removeOldRemains,
  writeLaunched,
} from './machine-folder.ts';
import { identifyProcess, type ProcessIdentity } from './process-identity.ts';
import type { MachineRequest, VmProvider } from './vm-provider.ts';

export interface LocalProcessOptions {
  /** The tag of this deployment's machines. */
  readonly deployment: string;
  /** Where each machine has a folder, an absolute path. Several processes and deployments may share it. */
  readonly directory: string;
  /** The session host's program, an absolute path. It stands in the machine's command line, for people who look for it. */
  readonly program: string;
  /** Machines that live at once in the directory, of whatever deployment; one more is refused. */
  readonly capacity: number;
  /** PEM file of certificates that a machine trusts besides the public ones: it may load its asset from a storage that is signed by one. */
  readonly caCertificates?: string | undefined;
  readonly now: () => Date;
}

/**
 * Machines that are processes of this computer, one session host each. They outlive the process that starts them, as
 * machines in Azure do, and whoever opens the same directory later finds them again.
 */
export function createLocalProcessProvider(options: LocalProcessOptions): VmProvider {
  const { directory, deployment } = options;
  const lookAtOurs = async (folder: string) => {
    const seen = await lookAtMachine(folder, options.now());
    return seen?.deployment === deployment ? seen : undefined;
  };
  let lastStart: Promise<unknown> = Promise.resolve();

  return {
    start(request) {
      // One after another: two starts at once would both see the last free place.
      const started = lastStart.then(() => start(request, options));
      lastStart = started.catch(() => undefined);
      return started;
    },
    async get(name) {
      return (await lookAtOurs(machineFolderOf(directory, name)))?.machine;
    },
    async stop(name) {
      const folder = machineFolderOf(directory, name);
      const seen = await lookAtOurs(folder);
      if (seen !== undefined) await stopMachine(folder, seen, options.now());
    },
    async *list() {
      await removeOldRemains(directory, options.now());
      for (const folder of await machineFoldersIn(directory)) {
        const seen = await lookAtOurs(folder);
        if (seen !== undefined) yield seen.machine;
      }
    },
  };
}

async function start(request: MachineRequest, options: LocalProcessOptions): Promise<void> {
  const { directory, deployment, now } = options;
  const { name, sessionId, size } = request;
  if (!isMachineName(name)) {
    throw new ComputeError(
      'provider',
      `"${name}" cannot name a machine: letters, digits, - and _, at most 256 of them.`,
    );
  }
  const folder = machineFolderOf(directory, name);
  const there = await lookAtMachine(folder, now());
  if (there !== undefined && there.deployment !== deployment) throw nameTaken(name, `deployment ${there.deployment}`);
  if (there !== undefined && !there.abandoned) return;
  if (there !== undefined) await removeMachineFolder(folder);
  await refuseOverCapacity(options);
  const intention = { name, sessionId, size, deployment, requestedAt: now(), starter: await identifyStarter() };
  if (await createMachineFolder(folder, intention)) return launch(folder, request, options);
  if ((await lookAtMachine(folder, now())) === undefined) throw nameTaken(name, `what lies at ${folder}`);
}

function nameTaken(name: string, owner: string): ComputeError {
  return new ComputeError('provider', `The name ${name} is taken by ${owner}: use another name or another directory.`);
}

async function refuseOverCapacity({ directory, capacity, now }: LocalProcessOptions): Promise<void> {
  const folders = await machineFoldersIn(directory);
  const seen = await Promise.all(folders.map((folder) => lookAtMachine(folder, now())));
  const living = seen.filter((one) => one !== undefined && one.machine.state !== 'failed');
  if (living.length < capacity) return;
  throw new ComputeError(
    'capacity',
    `${living.length} of ${capacity} local machines run: stop one, or raise the capacity.`,
  );
}

async function identifyStarter(): Promise<ProcessIdentity> {
  const starter = await identifyProcess(process.pid);
  if (starter !== undefined) return starter;
  throw new ComputeError(
    'provider',
    'This system does not tell when a process started: there is neither /proc nor ps.',
  );
}

async function launch(
  folder: string,
  request: MachineRequest,
  { program, directory, caCertificates }: LocalProcessOptions,
): Promise<void> {
  try {
    await using log = await openLog(folder);
    const child = spawn(process.execPath, [program, `--machine=${request.name}`, `--directory=${folder}`], {
      detached: true,
      cwd: directory,
      stdio: ['ignore', log.fd, log.fd],
      env: environmentOf(request, caCertificates),
    });
    await once(child, 'spawn');
    child.unref();
    const launched = child.pid === undefined ? undefined : await identifyProcess(child.pid);
    if (launched !== undefined) await writeLaunched(folder, launched);
  } catch (cause) {
    await removeMachineFolder(folder);
    throw new ComputeError('provider', `The process of machine ${request.name} could not be started.`, { cause });
  }
}

/** Nothing of our own environment: it holds the storage account's key, and a machine is told only what it needs. */
function environmentOf(
  { name, sessionId, host }: MachineRequest,
  caCertificates: string | undefined,
): NodeJS.ProcessEnv {
  return {
    MACHINE_NAME: name,
    SESSION_ID: sessionId,
    HEARTBEAT_URL: host.heartbeatUrl,
    HEARTBEAT_SECRET: host.heartbeatSecret,
    SILENCE_SECONDS: String(host.silenceSeconds),
    ...(caCertificates !== undefined && { NODE_EXTRA_CA_CERTS: caCertificates }),
  };
}
