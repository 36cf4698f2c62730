import type { vec4 } from '@gltf-transform/core';
import { multiplyTurns, turnAround } from '../../geometry/transforms.ts';
import { isNodeChunk, KEYFRAMER, MAIN } from './max3ds-chunks.ts';

const HEADER_BYTES = 6;
const ROTATIONS = 0xb021;

/**
 * A 3DS whose rotations the library understands: it turns each object by what a keyframe adds in the object's own axes, where the format means
 * those of what it lies in, and goes the shortest way, where the format may mean whole turns.
 */
export function mend3ds(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const end = bytes.readUInt32LE(2);
  // What follows is none of it, and the size may be wrong.
  return mendChunk(bytes.subarray(0, end));
}

/** @param chunk with its header */
function mendChunk(chunk: Buffer): Buffer {
  const id = chunk.readUInt16LE(0);
  if (id === ROTATIONS) return withHeader(id, [mendRotations(chunk.subarray(HEADER_BYTES))]);
  if (id !== MAIN && id !== KEYFRAMER && !isNodeChunk(id)) return chunk;
  const parts: Buffer[] = [];
  let at = HEADER_BYTES;
  while (at + HEADER_BYTES <= chunk.length) {
    const length = chunk.readUInt32LE(at + 2);
    if (length < HEADER_BYTES || at + length > chunk.length) break;
    parts.push(mendChunk(chunk.subarray(at, at + length)));
    at += length;
  }
  parts.push(chunk.subarray(at));
  return withHeader(id, parts);
}

function withHeader(id: number, parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(id, 0);
  header.writeUInt32LE(HEADER_BYTES + parts.reduce((sum, { length }) => sum + length, 0), 2);
  return Buffer.concat([header, ...parts]);
}

interface Turn {
  readonly frame: number;
  readonly angle: number;
  readonly axis: readonly [number, number, number];
}

/** Flags and what was used by the editor. */
const TRACK_HEAD_BYTES = 14;
/** As much as an object may turn between keyframes so that every reader turns it the same way. */
const LARGEST_TURN = 0.6 * Math.PI;
/** Keyframes that are made of one at most, and of a track that has any to spare. */
const [MOST_STEPS, MOST_KEYS] = [256, 10_000];

function mendRotations(track: Buffer): Buffer {
  const turns = readTurns(track);
  if (turns.length < 2) return track;
  const steps = Math.min(MOST_STEPS, Math.ceil(MOST_KEYS / turns.length));
  const keys = turns.flatMap((turn, i) => split(turn, turns[i - 1]?.frame ?? turn.frame, steps));
  const head = Buffer.from(track.subarray(0, TRACK_HEAD_BYTES));
  head.writeUInt32LE(keys.length, TRACK_HEAD_BYTES - 4);
  const body = Buffer.alloc(22 * keys.length);
  let before: vec4 = [0, 0, 0, 1];
  for (const [i, key] of keys.entries()) {
    const now = multiplyTurns(quaternionOf(key), before);
    const own = i === 0 ? now : multiplyTurns(inverse(before), now);
    body.writeUInt32LE(Math.max(0, Math.round(key.frame)), 22 * i);
    for (const [j, value] of angleAndAxis(own).entries()) body.writeFloatLE(value, 22 * i + 6 + 4 * j);
    before = now;
  }
  return Buffer.concat([head, body]);
}

function readTurns(track: Buffer): Turn[] {
  if (track.length < TRACK_HEAD_BYTES) return [];
  const turns: Turn[] = [];
  let at = TRACK_HEAD_BYTES;
  for (let left = track.readUInt32LE(TRACK_HEAD_BYTES - 4); left > 0 && at + 6 <= track.length; left -= 1) {
    const frame = track.readUInt32LE(at);
    // How a curve bends there: a number for each of the five lowest bits.
    const bends = track.readUInt16LE(at + 4) & 0x1f;
    at += 6 + 4 * bends.toString(2).replaceAll('0', '').length;
    if (at + 16 > track.length) break;
    const axis = [track.readFloatLE(at + 4), track.readFloatLE(at + 8), track.readFloatLE(at + 12)] as const;
    turns.push({ frame, angle: track.readFloatLE(at), axis });
    at += 16;
  }
  return turns;
}

/** A turn in steps of which none is large; frames are whole numbers. */
function split(turn: Turn, from: number, most: number): Turn[] {
  const frames = turn.frame - from;
  const wanted = Math.ceil(Math.abs(turn.angle) / LARGEST_TURN);
  const steps = Math.max(1, Math.min(wanted, frames, most));
  if (!Number.isFinite(steps)) return [turn];
  return Array.from({ length: steps }, (_, i) => ({
    ...turn,
    frame: from + Math.round(((i + 1) * frames) / steps),
    angle: turn.angle / steps,
  }));
}

/** Both count angles the other way round than the product of quaternions does. */
function quaternionOf({ angle, axis }: Turn): vec4 {
  return turnAround(axis, -angle);
}

function angleAndAxis([x, y, z, w]: vec4): readonly [number, number, number, number] {
  const sine = Math.hypot(x, y, z);
  if (sine === 0) return [0, 0, 1, 0];
  return [-2 * Math.atan2(sine, w), x / sine, y / sine, z / sine];
}

function inverse([x, y, z, w]: vec4): vec4 {
  return [-x, -y, -z, w];
}
