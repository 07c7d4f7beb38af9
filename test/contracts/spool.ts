import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Spool } from '../../src/mail/content.ts';
import { collect } from '../store/support.ts';

/** What every spool that keeps contents does. */
export function describeSpool(name: string, create: () => Spool): void {
  describe(`spool contract: ${name}`, () => {
    it.each([
      [0, 1],
      [1, 1],
      [5000, 1],
      [5000, 511],
      [5000, 512],
      [131_072, 4096],
      [131_073, 4096],
      [300_000, 7],
      [3_000_000, 65_536],
    ])('gives %i octets back that came in steps of %i, twice', async (bytes, step) => {
      const raw = randomBytes(bytes);
      const writer = create()();
      for (let at = 0; at < bytes; at += step) await writer.write(raw.subarray(at, at + step));
      expect(writer.bytes).toBe(bytes);
      const content = await writer.finish(false);
      expect(content.bytes).toBe(bytes);
      expect((await collect(content.stream())).equals(raw)).toBe(true);
      expect((await collect(content.stream())).equals(raw)).toBe(true);
      content.release();
    });

    it('keeps the order of short and long views', async () => {
      const parts = Array.from({ length: 400 }, (_, n) => Buffer.alloc([1, 600, 30, 511, 512, 0][n % 6]!, n));
      const writer = create()();
      for (const part of parts) await writer.write(part);
      const content = await writer.finish(false);
      expect((await collect(content.stream())).equals(Buffer.concat(parts))).toBe(true);
      content.release();
    });

    it('carries the flag of bare newlines', async () => {
      for (const flag of [true, false]) {
        const writer = create()();
        await writer.write(Buffer.from('a\nb'));
        const content = await writer.finish(flag);
        expect(content.bareNewlines).toBe(flag);
        content.release();
      }
    });
  });
}
