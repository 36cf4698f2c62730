import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeReport } from '../../../infra/local/demo/describe-report.ts';
import type { ReceivedEvent } from '../../../infra/local/demo/live-journey.ts';
import { demoReport, reportOf } from '../../../infra/local/demo/report.ts';
import { at, failedPipeline, stoppedPipeline, UPLOADED_AT } from './pipelines.ts';

const ASSETS = 'http://127.0.0.1:10000/account/assets';
const LOG = 'state/demo.log';

describe('The report', () => {
  test('of a whole journey has what each step came to and took', () => {
    const pipeline = stoppedPipeline();
    const { outputs: _, ...conversion } = pipeline.conversion ?? {};
    expect(reportOf(pipeline, UPLOADED_AT, ASSETS, [])).toEqual({
      pipelineId: 'blob-1',
      status: 'stopped',
      reason: 'lease_expired',
      evidence: 'It is lease_expired.',
      history: [
        { state: 'waiting', at: at(0.5).toISOString() },
        { state: 'converting', at: at(1).toISOString() },
        { state: 'starting', at: at(2).toISOString() },
        { state: 'ready', at: at(4).toISOString() },
        { state: 'stopping', at: at(9).toISOString() },
        { state: 'stopped', at: at(10).toISOString() },
      ],
      conversion,
      session: { id: 'blob-1', size: 'Standard', hostname: '127.0.0.1', ports: { inspector: 50_000 } },
      vm: { startedAt: at(2.5).toISOString(), stoppedAt: at(9.5).toISOString(), seconds: 7 },
      outputs: [{ name: 'box.glb', bytes: 900, uri: `${ASSETS}/blob-1/box.glb` }],
      events: [],
      timings: { waiting: 0.5, converting: 1, starting: 2, ready: 5, stopping: 1, total: 10 },
    });
  });

  test('has null for every step that was not reached', () => {
    expect(reportOf(failedPipeline(), UPLOADED_AT, ASSETS, [])).toMatchObject({
      status: 'failed',
      conversion: null,
      session: null,
      vm: null,
      outputs: null,
      events: [],
      timings: { waiting: 0.5, converting: 0.5, starting: null, ready: null, stopping: null, total: 1.5 },
    });
  });

  test('of a machine that was not seen stopped says so', () => {
    const pipeline = { ...stoppedPipeline(), machine: { startedAt: at(2).toISOString() } };
    const report = reportOf(pipeline, UPLOADED_AT, ASSETS, []);
    expect(report.vm).toEqual({ startedAt: at(2).toISOString(), stoppedAt: null, seconds: null });
    expect(describeReport(report, LOG).join('\n')).toContain('was not seen stopped');
  });

  test('has no time below zero where clocks disagree', () => {
    expect(reportOf(failedPipeline(), at(3), ASSETS, []).timings.total).toBe(0);
  });

  test('is described by the schema that is published; node infra/local/demo/report.ts prints it anew', async () => {
    const published = await readFile(new URL('../../../docs/demo-report.schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(demoReport))));
  });
});

function receivedEvent(kind: string, what: string, state: string, milliseconds: number): ReceivedEvent {
  return {
    event: {
      specversion: '1.0',
      id: `${kind}/blob-1/1`,
      source: '/accounts/one',
      type: `remoterendering.${kind}.${what}`,
      subject: `/${kind}s/blob-1`,
      time: at(1).toISOString(),
      datacontenttype: 'application/json',
      data: { id: 'blob-1', state, sequence: 1 },
    },
    receivedAt: new Date(at(1).getTime() + milliseconds),
  };
}

describe('The report for people', () => {
  test('has sizes, times and warnings', () => {
    const received = [
      receivedEvent('pipeline', 'present', 'waiting', 20),
      receivedEvent('pipeline', 'state', 'converting', 12),
      receivedEvent('session', 'lease_warning', 'ready', 30),
    ];
    expect(describeReport(reportOf(stoppedPipeline(), UPLOADED_AT, ASSETS, received), LOG)).toEqual([
      '',
      '  bytes      1,800 in, 900 out (50.0 %)',
      '  triangles  12 in, 12 out',
      '  warning    4004 texture missing: wood.png',
      '  took       waiting 0.5 s, converting 1.0 s, starting 2.0 s, ready 5.0 s, stopping 1.0 s, total 10.0 s',
      '  machine    ran 7.0 s, seen stopped',
      '  events     3 came over a WebSocket, half of them within 30 ms of being written',
      '             pipeline    waiting, converting',
      '             session     lease_warning',
      '  output     box.glb (900 bytes)',
      '',
    ]);
  });

  test('of a failure says why, what was seen, and what to do', () => {
    expect(describeReport(reportOf(failedPipeline(), UPLOADED_AT, ASSETS, []), LOG)).toEqual([
      '',
      '  took       waiting 0.5 s, converting 0.5 s, total 1.5 s',
      '  machine    none was started',
      '  events     0 came over a WebSocket',
      '',
      '  failed     input_refused: It is input_refused.',
      expect.stringMatching(/^ {2}what to do .*export it again/),
      '',
    ]);
  });

  test.each(['missing_files', 'limit', 'conversion_failed', 'capacity', 'quota', 'host_lost', 'internal_error'])(
    'has advice for %s',
    (reason) => {
      const report = { ...reportOf(failedPipeline(), UPLOADED_AT, ASSETS, []), reason };
      expect(describeReport(report, LOG).at(-2)).toMatch(/^ {2}what to do \S.{20,}/);
    },
  );
});
