import * as df from 'durable-functions';
import { z } from 'zod';
import type { RecordKind } from '#lib/records';
import { clientOrchestrations } from './client-orchestrations.ts';
import { driver, type NextStep, type StepDone } from './driver.ts';
import { ORCHESTRATORS, type Orchestrations } from './orchestrations.ts';

/** The process behind one kind of record: which step a record names, and what each step does. */
export interface Process<Services, Step extends string> {
  readonly kind: RecordKind;
  readonly account: string;
  services(orchestrations: Orchestrations): Promise<Services>;
  /** Undefined where there is no such record. */
  next(services: Services, id: string): Promise<(NextStep & { readonly step: Step | null }) | undefined>;
  /** Each step is one activity of its name; it answers when the record is to be read again. */
  readonly steps: Readonly<Record<Step, (services: Services, id: string) => Promise<Date>>>;
}

const input = z.object({ id: z.string() });

/** Registers a process with the Functions host: its orchestrator and its activities. */
export function registerProcess<Services, Step extends string>(process: Process<Services, Step>): void {
  const nextActivity = `${process.kind}Next`;
  df.app.orchestration(ORCHESTRATORS[process.kind], driver(nextActivity));
  registerActivity(process, nextActivity, async (services, id): Promise<NextStep> => {
    return (await process.next(services, id)) ?? { step: null };
  });
  for (const [name, step] of Object.entries<Process<Services, Step>['steps'][Step]>(process.steps)) {
    registerActivity(process, name, async (services, id): Promise<StepDone> => {
      return { wakeAt: (await step(services, id)).toISOString() };
    });
  }
}

function registerActivity<Services, Step extends string>(
  { account, services }: Process<Services, Step>,
  name: string,
  run: (services: Services, id: string) => Promise<unknown>,
): void {
  df.app.activity(name, {
    extraInputs: [df.input.durableClient()],
    handler: async (given, context) => {
      const { id } = input.parse(given);
      try {
        return await run(await services(clientOrchestrations(df.getClient(context), account)), id);
      } catch (error) {
        // The driver tries again; without this line nobody would ever learn why it had to.
        context.error(`${name} failed for ${id}; it is tried again.`, error);
        throw error;
      }
    },
  });
}
