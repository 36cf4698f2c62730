import { describe, expect, test } from 'vitest';
import { nextPipelineStep } from '#lib/pipeline';
import type { ConversionFailure, PipelineRecord, SessionRecord } from '#lib/records';
import { nextConversionStep, nextSessionStep } from '#lib/rendering';
import { at, newConversion, newPipeline, newSession, START } from '../../support/records.ts';

const kept = { revision: 1, sequence: 1, createdAt: START.toISOString(), updatedAt: START.toISOString() };
const ending = { reason: 'user_stop', evidence: '', at: START.toISOString() } as const;
const desired = { state: 'stopped', ...ending } as const;

describe('the step that a pipeline names', () => {
  const pipeline = { ...newPipeline('p'), ...kept };

  test.each([
    ['waiting', 'pipelineAwaitFiles'],
    ['converting', 'pipelineConvert'],
    ['starting', 'pipelineStartSession'],
    ['ready', 'pipelineWatchSession'],
  ] as const)('%s: %s, or to stop where that is wished for', (state, step) => {
    const record: PipelineRecord = { ...pipeline, state };
    expect(nextPipelineStep(record)).toEqual({ step });
    expect(nextPipelineStep({ ...record, desired })).toEqual({ step: 'pipelineStop' });
  });

  test.each([
    ['stopping', 'pipelineStop'],
    ['stopped', null],
    ['converted', null],
    ['failed', null],
  ] as const)('%s: %s, whatever is wished for', (state, step) => {
    const record: PipelineRecord = { ...pipeline, state, ending };
    expect(nextPipelineStep(record)).toEqual({ step });
    expect(nextPipelineStep({ ...record, desired })).toEqual({ step });
  });
});

describe('the step that a session names', () => {
  const session = { ...newSession('s'), ...kept };
  const machine = { name: 's', secretHash: '00', accepted: true, startedAt: START.toISOString() };
  const lease = { ...session.lease, startedAt: at(0).toISOString(), expiresAt: at(60).toISOString() };
  const step = (record: SessionRecord, seconds = 0) => nextSessionStep(record, at(seconds)).step;

  test('starting: to ask for a machine, then to wait for its host, or to stop where that is wished for', () => {
    expect(step(session)).toBe('sessionStartMachine');
    expect(step({ ...session, machine })).toBe('sessionAwaitHost');
    expect(step({ ...session, desired })).toBe('sessionStop');
    expect(step({ ...session, machine, desired })).toBe('sessionStop');
  });

  test('ready: to watch while the lease runs, and to stop from its end on', () => {
    const record: SessionRecord = { ...session, state: 'ready', machine, lease };
    expect(step(record, 59.999)).toBe('sessionWatch');
    expect(step(record, 60)).toBe('sessionStop');
    expect(step({ ...record, desired })).toBe('sessionStop');
  });

  test('stopping: to stop; after that nothing', () => {
    expect(step({ ...session, state: 'stopping', ending })).toBe('sessionStop');
    expect(step({ ...session, state: 'stopped', ending })).toBeNull();
    expect(step({ ...session, state: 'failed', ending, desired })).toBeNull();
  });
});

describe('the step that a conversion names', () => {
  const conversion = { ...newConversion('c'), ...kept };
  const failure: ConversionFailure = { reason: 'limit', message: '', warnings: [] };

  test('is the one there is, until it has ended', () => {
    expect(nextConversionStep(conversion).step).toBe('conversionRun');
    expect(nextConversionStep({ ...conversion, state: 'running' }).step).toBe('conversionRun');
    const failed = { ...conversion, state: 'failed', endedAt: START.toISOString(), failure } as const;
    expect(nextConversionStep(failed).step).toBeNull();
  });
});
