import type { PipelineWithHistory } from '#lib/api';

const counts = { bytes: 900, triangles: 12, vertices: 24, materials: 1, meshes: 1 };

/** When the model of these pipelines was uploaded. */
export const UPLOADED_AT = new Date('2026-03-01T12:00:00.000Z');

/** A time so many seconds after the upload. */
export const at = (seconds: number) => new Date(UPLOADED_AT.getTime() + seconds * 1000);

/** A change of state so many seconds after the upload. */
export const state = (name: string, seconds: number, reason: string | null = null) => ({
  sequence: Math.ceil(2 * seconds),
  type: 'state',
  state: name,
  at: at(seconds).toISOString(),
  reason,
  evidence: reason && `It is ${reason}.`,
});

/** A pipeline that went all the way: ready after 4 s, its machine up for 7 s. */
export function stoppedPipeline(): PipelineWithHistory {
  return {
    id: 'blob-1',
    state: 'stopped',
    reason: 'lease_expired',
    evidence: 'It is lease_expired.',
    stopAsked: false,
    model: 'demo-1/box.glb',
    settings: null,
    requestedSession: { size: 'Standard', maxLeaseSeconds: 5 },
    createdAt: at(0.5).toISOString(),
    updatedAt: at(10).toISOString(),
    owner: 'system',
    readers: ['clients'],
    missingFiles: [],
    warnings: [],
    progress: null,
    conversion: {
      id: 'blob-1',
      contentKey: 'c0ffee',
      cached: false,
      input: { ...counts, bytes: 1800, files: 1 },
      output: counts,
      warnings: [{ code: '4004', title: 'texture missing', details: { texture: 'wood.png' } }],
      outputs: [{ name: 'blob-1/box.glb', bytes: 900 }],
    },
    session: {
      id: 'blob-1',
      size: 'Standard',
      hostname: '127.0.0.1',
      ports: { inspector: 50_000 },
      readyAt: at(4).toISOString(),
    },
    machine: { startedAt: at(2.5).toISOString(), stoppedAt: at(9.5).toISOString() },
    conversionHistory: [],
    sessionHistory: [],
    history: [
      state('waiting', 0.5),
      state('converting', 1),
      state('starting', 2),
      { ...state('starting', 3), type: 'asset' },
      state('ready', 4),
      state('stopping', 9, 'lease_expired'),
      state('stopped', 10, 'lease_expired'),
    ],
  };
}

/** A pipeline whose conversion failed. */
export function failedPipeline(): PipelineWithHistory {
  return {
    ...stoppedPipeline(),
    state: 'failed',
    reason: 'input_refused',
    evidence: 'It is input_refused.',
    conversion: null,
    session: null,
    machine: null,
    history: [state('waiting', 0.5), state('converting', 1), state('failed', 1.5, 'input_refused')],
  };
}
