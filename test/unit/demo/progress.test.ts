import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { PipelineWithHistory } from '#lib/api';
import { Progress } from '../../../infra/local/demo/progress.ts';
import { at, failedPipeline, stoppedPipeline, UPLOADED_AT } from './pipelines.ts';

function shown(onTerminal: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY: onTerminal });
  const progress = new Progress(out, UPLOADED_AT);
  return { progress, text: () => read(out) };
}

function read(out: PassThrough): string {
  const chunk: unknown = out.read();
  return Buffer.isBuffer(chunk) ? chunk.toString() : '';
}

/** The pipeline as it was while only so many of its events had happened. */
function until(events: number): PipelineWithHistory {
  const whole = stoppedPipeline();
  const history = whole.history.slice(0, events);
  return { ...whole, state: history.at(-1)?.state === 'ready' ? 'ready' : 'starting', history };
}

describe('Progress in a log', () => {
  test('has a line for every state, however short it was, at the time that the app wrote down', () => {
    const { progress, text } = shown(false);
    progress.line('uploading', '1 file', at(0));
    progress.show(stoppedPipeline(), null, at(10.2));
    expect(text().split('\n')).toEqual([
      '   0.0 s  uploading   1 file',
      '   0.5 s  waiting     for the files that the model refers to',
      '   1.0 s  converting  to one checked and compressed GLB',
      '   2.0 s  starting    a machine for the asset of 900 bytes',
      '   4.0 s  ready       look at it: http://127.0.0.1:50000/',
      '   9.0 s  stopping    lease_expired: It is lease_expired.',
      '  10.0 s  stopped     the machine was seen stopped',
      '',
    ]);
  });

  test('tells no state twice', () => {
    const { progress, text } = shown(false);
    progress.show(until(3), null, at(2.1));
    text();
    progress.show(until(3), null, at(2.3));
    expect(text()).toBe('');
    progress.show(until(5), null, at(4.2));
    expect(text()).toMatch(/^ {3}4\.0 s {2}ready .*\n$/);
  });

  test('names the files that are waited for, as often as they change', () => {
    const { progress, text } = shown(false);
    const waits = (...missingFiles: string[]): PipelineWithHistory => ({ ...until(1), state: 'waiting', missingFiles });
    progress.show(waits(), null, at(0.6));
    text();
    for (const reading of [waits('a.bin', 'b.png'), waits('a.bin', 'b.png'), waits('b.png')]) {
      progress.show(reading, null, at(0.8));
    }
    expect(text()).toBe('   0.8 s  waiting     for a.bin, b.png\n   0.8 s  waiting     for b.png\n');
  });

  test('tells each phase of a conversion once, with the sizes that are known by then', () => {
    const { progress, text } = shown(false);
    const converts = (reading: PipelineWithHistory['progress']): PipelineWithHistory => ({
      ...until(2),
      state: 'converting',
      progress: reading,
    });
    progress.show(converts(null), null, at(1.1));
    text();
    for (const reading of [
      { phase: 'reading' },
      { phase: 'optimising', inputBytes: 1800, triangles: 1200 },
      { phase: 'optimising', inputBytes: 1800, triangles: 1200 },
      { phase: 'writing', inputBytes: 1800, triangles: 600, outputBytes: 900 },
    ] as const)
      progress.show(converts(reading), null, at(1.5));
    expect(text().split('\n')).toEqual([
      '   1.5 s  converting  reading',
      '   1.5 s  converting  optimising: 1,800 bytes in, 1,200 triangles',
      '   1.5 s  converting  writing: 900 bytes out, 600 triangles',
      '',
    ]);
  });

  test('says why a pipeline failed', () => {
    const { progress, text } = shown(false);
    progress.show(failedPipeline(), null, at(2));
    expect(text()).toContain('   1.5 s  failed      input_refused: It is input_refused.\n');
  });

  test('counts the lease down in steps of ten seconds', () => {
    const { progress, text } = shown(false);
    for (let left = 25; left > 0; left -= 1) {
      progress.show(until(5), { maxLeaseSeconds: 25, remainingSeconds: left - 0.5 }, at(29 - left));
    }
    expect(text().match(/\d+ s left/g)).toEqual(['25 s left', '15 s left', '5 s left']);
  });

  test('never goes back in time', () => {
    const { progress, text } = shown(false);
    progress.line('uploading', '', at(3));
    progress.show(until(1), null, at(3));
    expect(text()).toBe('   3.0 s  uploading\n   3.0 s  waiting     for the files that the model refers to\n');
  });
});

describe('Progress on a terminal', () => {
  test('counts the lease down in one place, which the next state takes', () => {
    const { progress, text } = shown(true);
    progress.show(until(5), { maxLeaseSeconds: 4, remainingSeconds: 4 }, at(4));
    expect(text()).toContain(`${'█'.repeat(24)} 4 s left`);
    progress.show(until(5), { maxLeaseSeconds: 4, remainingSeconds: 2 }, at(6));
    const half = text();
    expect(half).toContain(`${'█'.repeat(12)}${'░'.repeat(12)} 2 s left`);
    expect(half).not.toContain('\n');
    progress.show(stoppedPipeline(), null, at(10));
    expect(text()).toMatch(/^\S*\[2K\S*\[1G.*stopping/);
  });

  test('shows that a long step goes on', () => {
    const { progress, text } = shown(true);
    progress.show(until(3), null, at(2));
    text();
    progress.show(until(3), null, at(5));
    expect(text()).toContain('starting    for 3 s');
  });
});
