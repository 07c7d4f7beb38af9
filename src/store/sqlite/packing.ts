import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { StoreError } from '../errors.ts';

/*
 * How what is kept of a message is made small: zstd frames (RFC 8878), with an earlier message of the same kind as the
 * dictionary where there is one. Such a base is a row of its own (table `bases`) and no message: it stays for as long as
 * frames need it, whatever becomes of the message it was made from. Frames carry a checksum of what was put in.
 */

/** More than any part of a message that is kept in the database. */
const MOST_BYTES = 64 * 1024 * 1024;
const PARAMS = {
  [constants.ZSTD_c_compressionLevel]: 3,
  [constants.ZSTD_c_checksumFlag]: 1,
};

/** What a message consists of, as far as it is packed. */
export type PackedPart = 'content' | 'text' | 'facts';
export const PACKED_PARTS: readonly PackedPart[] = ['content', 'text', 'facts'];

/**
 * Packs a part, and unpacks it again to be sure. What zstd cannot make smaller gets larger by a few octets.
 * @throws STORE_FAILED if it would not come out as it went in; it is then to be kept as it is
 */
export function pack(plain: Uint8Array, base?: Uint8Array): Uint8Array {
  const frame = zstdCompressSync(plain, { params: PARAMS, ...(base && { dictionary: base }) });
  if (!unpack(frame, base).equals(plain)) throw new StoreError('STORE_FAILED', 'A part of a message cannot be packed');
  return new Uint8Array(frame); // without the spare room behind it
}

/**
 * Reads JSON that was packed.
 * @param what it belongs to, for the error
 * @throws STORE_CORRUPT
 */
export function parsePacked(plain: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString());
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `${what} is damaged: ${(cause as Error).message}`, { cause });
  }
}

/** @throws STORE_CORRUPT if it is not what was packed, or the base is not the one that it was packed with */
export function unpack(frame: Uint8Array, base?: Uint8Array): Buffer<ArrayBuffer> {
  try {
    return zstdDecompressSync(frame, {
      maxOutputLength: MOST_BYTES,
      ...(base && { dictionary: base }),
    }) as Buffer<ArrayBuffer>;
  } catch (cause) {
    throw new StoreError('STORE_CORRUPT', `A part of a message is damaged: ${(cause as Error).message}`, { cause });
  }
}
