import type { Reason } from '#lib/records';
import { boxGlb, boxGltf, type ModelFiles, pointsGlb, quadFiles, quadGlb } from '../support/models/index.ts';
import type { Random } from './random.ts';

/** How a pipeline may end that nobody and nothing but a kill disturbs. */
export interface Journey {
  /** Tells it from the others; the id of a pipeline that is put, the folder of a model that is uploaded. */
  readonly name: string;
  /** An uploaded model, or the uploaded model of another journey that a pipeline is put for. */
  readonly start:
    | { readonly how: 'upload'; readonly files: ModelFiles; readonly model: string }
    | { readonly how: 'put'; readonly modelOf: string; readonly leaseSeconds: number | null };
  /** So long after it was started it is asked to stop. */
  readonly deleteAfterSeconds?: number;
  readonly mayEnd: readonly Reason[];
}

const noModel: ModelFiles = { 'broken.glb': Buffer.from('This is no model at all.') };

type Uploaded = Pick<Journey, 'mayEnd'> & { readonly files: ModelFiles; readonly model: string };
const sound = ['lease_expired'] as const;

const kinds: readonly ((name: string) => Uploaded)[] = [
  (name) => ({ files: { 'box.glb': boxGlb({ extras: { name } }) }, model: 'box.glb', mayEnd: sound }),
  (name) => ({ files: { 'box.gltf': boxGltf({ extras: { name } }) }, model: 'box.gltf', mayEnd: sound }),
  // The same bytes under many names: one content.
  () => ({ files: { 'quad.glb': quadGlb() }, model: 'quad.glb', mayEnd: sound }),
  () => ({ files: quadFiles(), model: 'quad.gltf', mayEnd: sound }),
  () => ({ files: noModel, model: 'broken.glb', mayEnd: ['input_refused'] }),
  (name) => ({ files: withoutBuffer(name), model: `${name}.gltf`, mayEnd: ['missing_files'] }),
  (name) => ({
    files: { 'points.glb': pointsGlb([0, 0, 0, 1, 2, name.length], {}, { extras: { name } }) },
    model: 'points.glb',
    mayEnd: sound,
  }),
];

/** So many pipelines, drawn so that few of them still hold each sort: uploads, puts, twins, broken ones and stopped ones. */
export function draw(count: number, random: Random): readonly Journey[] {
  const uploads = Math.max(1, Math.ceil(count * 0.7));
  const sorts = random.shuffle(Array.from({ length: uploads }, (_, index) => kinds[index % kinds.length]));
  const uploaded = sorts.flatMap((kind, index): Journey[] => {
    if (kind === undefined) return [];
    const { files, model, mayEnd } = kind(`upload-${index}`);
    return [{ name: `upload-${index}`, start: { how: 'upload', files, model }, mayEnd }];
  });
  const put = Array.from({ length: count - uploads }, (_, index): Journey => {
    const of = uploaded[Math.floor(random.next() * uploaded.length)] ?? uploaded[0];
    const leaseSeconds = random.next() < 0.25 ? null : Math.round(random.between(1, 6));
    const succeeds: Reason = leaseSeconds === null ? 'completed' : 'lease_expired';
    const fails = of?.mayEnd.filter((reason) => reason !== 'lease_expired') ?? [];
    return {
      name: `put-${index}`,
      start: { how: 'put', modelOf: of?.name ?? '', leaseSeconds },
      mayEnd: fails.length > 0 ? fails : [succeeds],
    };
  });
  return random
    .shuffle([...uploaded, ...put])
    .map((journey, index) => (index % 4 === 1 ? stopped(journey, random) : journey));
}

/** A stop may come too late to be the reason. Who stops is an Administrator, who owns what was put, and not what was uploaded. */
function stopped(journey: Journey, random: Random): Journey {
  const stop: Reason = journey.start.how === 'put' ? 'user_stop' : 'admin_stop';
  return { ...journey, deleteAfterSeconds: random.between(0, 8), mayEnd: [stop, ...journey.mayEnd] };
}

function withoutBuffer(name: string): ModelFiles {
  const { 'quad.gltf': model = new Uint8Array(0) } = quadFiles();
  return { [`${name}.gltf`]: model };
}
