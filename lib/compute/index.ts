export { ComputeError, type ComputeErrorCode } from './compute-error.ts';
export { createLocalProcessProvider, type LocalProcessOptions } from './local-process.ts';
export { claimMachineFolder } from './machine-folder.ts';
export { identifyProcess, isAlive, type ProcessIdentity, processIdentity } from './process-identity.ts';
export type { Machine, MachineRequest, SessionHostSettings, SessionSize, VmProvider } from './vm-provider.ts';
