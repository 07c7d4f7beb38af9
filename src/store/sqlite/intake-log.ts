import {
  close,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  statfs,
  statfsSync,
  statSync,
  write,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { decodeFrames, encodeFrame, type Frame, frameBytes } from './intake-frames.ts';
import type { Layout } from './layout.ts';
import { checkVersion, SCHEMA_VERSION } from './migrations.ts';

/**
 * Where messages are safe before they are in the tables.
 *
 * A transaction of SQLite writes a dozen pages and waits for its fsync whether it holds one message or a hundred. So a
 * batch is first written here, in one piece over octets that are there already, which is on disk when the call returns
 * (O_DSYNC) and measured ten times faster than appending and syncing. Its senders have their 250 then; the tables take
 * many batches in one transaction, shortly after. The tables say up to which frame they hold everything; when a store
 * is opened, what lies beyond goes into them first (`readIntake`), so that what was acknowledged is there.
 *
 * Two segments take turns. One is written over only when the tables have synced everything in it.
 */

export const SEGMENT_BYTES = 4 * 1024 * 1024;
/** With less room on the disk than this each batch waits for the tables: an acknowledged message must find its place there. */
const PLENTY_BYTES = 256 * 1024 * 1024;
const LOOK_EVERY_MS = 1000;

const closeFile = promisify(close);

/** What a batch brings to the log. */
export interface Loggable {
  /** JSON of its Arrival. */
  readonly json: string;
  readonly views: readonly Buffer[];
  readonly bytes: number;
}

/**
 * Frames that were logged and that the tables do not have, oldest first.
 * @param appliedTo number of the newest frame that the tables have; when absent, all frames are given
 */
export function readIntake(layout: Layout, appliedTo?: number): Frame[] {
  const frames = layout.intake.flatMap((path) => decodeFrames(readSegment(path)));
  frames.sort((a, b) => a.number - b.number);
  if (appliedTo === undefined) return frames;
  const waiting: Frame[] = [];
  for (const frame of frames) if (frame.number === appliedTo + waiting.length + 1) waiting.push(frame);
  return waiting;
}

/** Whether the log has frames that the tables of a folder do not. */
export function hasIntake(layout: Layout): boolean {
  const database = new DatabaseSync(layout.database, { readOnly: true, timeout: 5000 });
  try {
    if (checkVersion(database, layout.database) < SCHEMA_VERSION) return false; // of a time before there was a log
    const row = database.prepare('SELECT logged_to FROM totals').get();
    return readIntake(layout, Number(row?.logged_to)).length > 0;
  } finally {
    database.close();
  }
}

function readSegment(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** Makes the segments, where there is plenty of room. Nothing in them may be wanted any more. @returns whether they are there */
export function makeIntake(layout: Layout): boolean {
  const { bavail, bsize } = statfsSync(layout.directory);
  if (bavail * bsize < PLENTY_BYTES) return false;
  for (const path of layout.intake) {
    if (statSync(path, { throwIfNoEntry: false })?.size === SEGMENT_BYTES) continue;
    writeFileSync(path, Buffer.alloc(SEGMENT_BYTES), { mode: 0o600, flush: true });
  }
  const directory = openSync(layout.directory, 'r');
  fsyncSync(directory);
  closeSync(directory);
  return true;
}

interface Segment {
  readonly descriptor: number;
  /** Octets used in this round. */
  end: number;
  /** Number of its newest frame. */
  newest: number;
}

/** The log as it is written. One `append` at a time. */
export class IntakeLog {
  readonly #directory: string;
  readonly #segments: readonly [Segment, Segment];
  #current = 0;
  #number: number;
  #syncedTo: number;
  #isRoomy = true;
  #isBroken = false;
  #lookedAt = 0;
  #room: Buffer = Buffer.alloc(0);

  /** @param appliedTo number of the newest frame that the tables have, synced */
  constructor(layout: Layout, appliedTo: number) {
    const open = (path: string): Segment => ({
      descriptor: openSync(path, constants.O_WRONLY | constants.O_DSYNC),
      end: 0,
      newest: appliedTo,
    });
    this.#directory = layout.directory;
    this.#segments = [open(layout.intake[0]), open(layout.intake[1])];
    this.#number = this.#syncedTo = appliedTo;
  }

  /** Number of the newest frame. */
  get newest(): number {
    return this.#number;
  }

  /** True while a segment waits for the tables to sync, so that it can be written over. */
  get wantsSync(): boolean {
    return this.#segments[1 - this.#current]!.newest > this.#syncedTo;
  }

  /** The tables hold everything up to this frame, and have synced it. */
  synced(number: number): void {
    this.#syncedTo = Math.max(this.#syncedTo, number);
  }

  /**
   * Writes a batch; resolves when it is on disk.
   * @returns `behind` while the tables have not synced what stands where it is to stand (`wantsSync`); undefined if it
   *   can't be taken at all: too large, or little room on the disk
   */
  append(batch: readonly Loggable[]): Promise<void> | 'behind' | undefined {
    this.#look();
    if (!this.#isRoomy || this.#isBroken) return undefined;
    let contentBytes = 0;
    let json = '';
    for (const one of batch) {
      contentBytes += one.bytes;
      json += json === '' ? one.json : `,${one.json}`;
    }
    const arrivals = `[${json}]`;
    const arrivalBytes = Buffer.byteLength(arrivals);
    const size = frameBytes(arrivalBytes, contentBytes);
    if (size > SEGMENT_BYTES) return undefined;
    const segment = this.#segmentFor(size);
    if (!segment) return 'behind';
    const views = batch.map((one) => one.views);
    const frame = encodeFrame(this.#number + 1, { arrivals, arrivalBytes }, views, contentBytes, this.#roomFor(size));
    return new Promise((resolve, reject) => {
      const { descriptor, end } = segment;
      write(descriptor, frame, 0, frame.length, end, (error, written) => {
        this.#number++; // also when it failed: what of it may have come to the disk is not to be taken for a batch
        if (error || written < frame.length) {
          this.#isBroken = true; // until the store is opened again
          reject(error ?? new Error('The intake log took only a part of a batch'));
          return;
        }
        segment.end = end + frame.length;
        segment.newest = this.#number;
        resolve();
      });
    });
  }

  /** Memory for one frame after the other: fresh one for each would be waste faster than it is collected. */
  #roomFor(bytes: number): Buffer {
    if (this.#room.length < bytes) this.#room = Buffer.allocUnsafeSlow(Math.min(SEGMENT_BYTES, bytes * 2));
    return this.#room;
  }

  async close(): Promise<void> {
    for (const { descriptor } of this.#segments) await closeFile(descriptor);
  }

  /** The segment with room for so many octets, or undefined. */
  #segmentFor(bytes: number): Segment | undefined {
    const current = this.#segments[this.#current]!;
    if (current.end + bytes <= SEGMENT_BYTES) return current;
    if (this.wantsSync) return undefined;
    this.#current = 1 - this.#current;
    const next = this.#segments[this.#current]!;
    next.end = 0;
    return next;
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    statfs(this.#directory, (error, found) => {
      this.#isRoomy = !error && found.bavail * found.bsize >= PLENTY_BYTES;
    });
  }
}
