export { clientOrchestrations } from './client-orchestrations.ts';
export { driver, type NextStep, type StepDone } from './driver.ts';
export { DurableError } from './durable-error.ts';
export { instanceIdOf, ORCHESTRATORS, type OrchestrationInput, type Orchestrations, WAKE } from './orchestrations.ts';
export { type Process, registerProcess } from './register-process.ts';
