import { z } from 'zod';
import type { PipelineWithHistory } from '#lib/api';
import type { ReceivedEvent } from './live-journey.ts';

const instant = z.iso.datetime();
const seconds = z.number().nonnegative();
const counts = {
  bytes: z.int().nonnegative(),
  triangles: z.int().nonnegative(),
  vertices: z.int().nonnegative(),
  materials: z.int().nonnegative(),
  meshes: z.int().nonnegative(),
};

/**
 * The one JSON document of `npm run demo -- --json`, null where a step was not reached. docs/demo-report.schema.json is this schema, as
 * this file prints it when it is run.
 */
export const demoReport = z
  .strictObject({
    pipelineId: z.string(),
    status: z.enum(['waiting', 'converting', 'starting', 'ready', 'stopping', 'stopped', 'converted', 'failed']),
    reason: z.string().nullable(),
    evidence: z.string().nullable(),
    history: z.array(z.strictObject({ state: z.string(), at: instant })),
    conversion: z
      .strictObject({
        id: z.string(),
        contentKey: z.string(),
        cached: z.boolean(),
        input: z.strictObject({ ...counts, files: z.int().positive() }),
        output: z.strictObject(counts),
        warnings: z.array(
          z.strictObject({ code: z.string(), title: z.string(), details: z.record(z.string(), z.string()) }),
        ),
      })
      .nullable(),
    session: z
      .strictObject({
        id: z.string(),
        size: z.string(),
        hostname: z.string(),
        ports: z.strictObject({ inspector: z.int() }),
      })
      .nullable(),
    vm: z.strictObject({ startedAt: instant, stoppedAt: instant.nullable(), seconds: seconds.nullable() }).nullable(),
    outputs: z.array(z.strictObject({ name: z.string(), bytes: z.int().nonnegative(), uri: z.url() })).nullable(),
    events: z
      .array(
        z.strictObject({
          type: z.string(),
          state: z.string(),
          phase: z.string().nullable(),
          sequence: z.int().nonnegative(),
          at: instant,
          receivedAt: instant,
        }),
      )
      .describe('What came over a WebSocket, in the order of its coming.'),
    timings: z
      .strictObject({
        waiting: seconds.nullable(),
        converting: seconds.nullable(),
        starting: seconds.nullable(),
        ready: seconds.nullable(),
        stopping: seconds.nullable(),
        total: seconds,
      })
      .describe('Seconds in each state, and from the upload to the end.'),
  })
  .meta({ title: 'What one run of the demo did' });

export type DemoReport = z.output<typeof demoReport>;

/** Makes the report of a pipeline; `assets` is the URL of the container of converted assets. */
export function reportOf(
  pipeline: PipelineWithHistory,
  uploadedAt: Date,
  assets: string,
  received: readonly ReceivedEvent[],
): DemoReport {
  const { conversion, session, machine } = pipeline;
  const history = pipeline.history.filter(({ type }) => type === 'state').map(({ state, at }) => ({ state, at }));
  const end = history.at(-1)?.at ?? uploadedAt.toISOString();
  return demoReport.parse({
    pipelineId: pipeline.id,
    status: pipeline.state,
    reason: pipeline.reason,
    evidence: pipeline.evidence,
    history,
    conversion: conversion && withoutOutputs(conversion),
    session: session && { id: session.id, size: session.size, hostname: session.hostname, ports: session.ports },
    vm: machine && {
      startedAt: machine.startedAt,
      stoppedAt: machine.stoppedAt ?? null,
      seconds: machine.stoppedAt === undefined ? null : between(machine.startedAt, machine.stoppedAt),
    },
    outputs:
      conversion?.outputs.map(({ name, bytes }) => ({
        name: name.replace(/^.*\//, ''),
        bytes,
        uri: `${assets}/${name}`,
      })) ?? null,
    events: received.map(({ event: { type, time, data }, receivedAt }) => ({
      type,
      state: data.state,
      phase: data.progress?.phase ?? null,
      sequence: data.sequence,
      at: time,
      receivedAt: receivedAt.toISOString(),
    })),
    timings: {
      ...Object.fromEntries(
        ['waiting', 'converting', 'starting', 'ready', 'stopping'].map((state) => [state, secondsIn(history, state)]),
      ),
      total: between(uploadedAt.toISOString(), end),
    },
  });
}

function withoutOutputs({ outputs: _outputs, ...rest }: NonNullable<PipelineWithHistory['conversion']>) {
  return rest;
}

function secondsIn(history: DemoReport['history'], state: string): number | null {
  const index = history.findIndex((event) => event.state === state);
  const from = history[index]?.at;
  const to = history[index + 1]?.at;
  return from === undefined || to === undefined ? null : between(from, to);
}

function between(from: string, to: string): number {
  return Math.max(0, Date.parse(to) - Date.parse(from)) / 1000;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(z.toJSONSchema(demoReport), null, 2)}\n`);
