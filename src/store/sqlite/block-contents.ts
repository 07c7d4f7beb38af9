import { BLOCK_LIMITS, type Listed, type Parts } from './blocks.ts';

/** A message on its way into a block. */
export interface Member {
  readonly seq: number;
  readonly id: string;
  readonly listed: Listed;
  readonly parts: Parts;
}

/** What a block holds, unpacked, while messages are put into it. */
export class BlockContents {
  readonly listed = new Map<number, Listed>();
  readonly parts = new Map<number, Parts>();
  /** Those that are new to it. */
  readonly added: Pick<Member, 'seq' | 'id'>[] = [];
  readonly isNew: boolean;
  #block: number | undefined;
  #bytes = 0;

  /** @param block number of one that is there already */
  constructor(block?: number) {
    this.#block = block;
    this.isNew = block === undefined;
  }

  /** Its number, which is the seq of the first message that came into it: none is ever used twice. */
  get block(): number {
    return this.#block ?? 0;
  }

  get isFull(): boolean {
    return this.listed.size >= BLOCK_LIMITS.messages || this.#bytes >= BLOCK_LIMITS.bytes;
  }

  /** Whether there is room; for one message there always is. */
  takes({ parts }: Pick<Member, 'parts'>): boolean {
    if (this.listed.size === 0) return true;
    return this.listed.size < BLOCK_LIMITS.messages && this.#bytes + bytesOf(parts) <= BLOCK_LIMITS.bytes;
  }

  add({ seq, id, listed, parts }: Member): void {
    this.#block ??= seq;
    this.added.push({ seq, id });
    this.put(seq, listed, parts);
  }

  /** Puts in what is there already. */
  put(seq: number, listed: Listed, parts: Parts): void {
    this.listed.set(seq, listed);
    this.parts.set(seq, parts);
    this.#bytes += bytesOf(parts);
  }
}

function bytesOf(parts: Parts): number {
  return Object.values(parts).reduce((bytes, { length }) => bytes + length, 0);
}
