import { createHash, timingSafeEqual } from 'node:crypto';
import type { HeartbeatAnswer, HeartbeatBody } from '#lib/api';
import type { SessionRecord } from '#lib/records';
import { remainingSeconds } from '../lease.ts';
import { RenderingError } from '../rendering-error.ts';
import type { SelfHostedParts } from './parts.ts';

/** Until the asset is loaded a person waits for it; after that a heartbeat only has to be well below the silence that ends a session. */
const HURRIED_SECONDS = 1;
const CALM_SECONDS = 5;
/** The session host downloads at once; its URL needs no longer life. */
const ASSET_URL_SECONDS = 600;

/**
 * Takes a heartbeat and answers with what the record says.
 * @param secret the bearer secret that came with it
 * @param hear reads what the session host says, once it is known who speaks
 * @throws RenderingError `unauthenticated`; and what `hear` throws
 */
export async function receiveHeartbeat(
  parts: SelfHostedParts,
  id: string,
  secret: string | undefined,
  hear: () => Promise<HeartbeatBody>,
): Promise<HeartbeatAnswer> {
  const refused = "A heartbeat needs the secret of the session's present machine.";
  if (secret === undefined) throw new RenderingError('unauthenticated', refused);
  const record = await parts.sessions.read(id);
  // In one way for a session that is not there: its id is nobody's to find out.
  if (record === undefined || !knows(record, secret)) throw new RenderingError('unauthenticated', refused);
  const said = await hear();
  if (record.state !== 'starting' && record.state !== 'ready') {
    return { remainingSeconds: 0, stop: true, asset: null, nextSeconds: HURRIED_SECONDS };
  }
  const { state: _ready, ...rest } = said;
  await parts.heartbeats.write(id, { ...rest, at: parts.now().toISOString() });
  return answer(parts, record, said);
}

async function answer(parts: SelfHostedParts, record: SessionRecord, said: HeartbeatBody): Promise<HeartbeatAnswer> {
  const settled = record.state === 'ready' && said.asset !== null && said.asset.state !== 'loading';
  return {
    remainingSeconds: remainingSeconds(record.lease, parts.now()),
    stop: false,
    asset: await assetOf(parts, record),
    nextSeconds: settled ? CALM_SECONDS : HURRIED_SECONDS,
  };
}

async function assetOf(parts: SelfHostedParts, { asset }: SessionRecord): Promise<HeartbeatAnswer['asset']> {
  if (asset === undefined) return null;
  const { url } = await parts.blobs.readUrl({ container: asset.container, name: asset.blob }, ASSET_URL_SECONDS);
  return { name: asset.blob, url };
}

function knows(record: SessionRecord, secret: string): boolean {
  if (record.machine === undefined) return false;
  return timingSafeEqual(createHash('sha256').update(secret).digest(), Buffer.from(record.machine.secretHash, 'hex'));
}
