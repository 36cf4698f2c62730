export { clientOrchestrations } from './client-orchestrations.ts';
export { driver, type NextStep } from './driver.ts';
export { instanceIdOf, type Orchestrations, WAKE } from './orchestrations.ts';
export { registerProcess } from './register-process.ts';
