import { createKillableThread, threadEntry } from './killable-thread.ts';
import type { OpenedMail } from './opened-mail.ts';
import { openPlainly } from './plain-mail.ts';
import type { Reporter } from './report.ts';

/**
 * Opens mails in a thread of its own, where a hostile one can take all the time it likes: it is stopped.
 *
 * Parsers of mail have a history of input that keeps them busy for minutes, and what looks for codes and links reads
 * the same bytes. On the event loop that would stop the whole daemon. The reader of a mail that was given up gets header
 * and body unparsed.
 */
export interface MimeParser {
  /** Never rejects; see ParsedMail.complete. */
  parse(raw: Buffer): Promise<OpenedMail>;
  /** A mail is expected: has the thread ready, which takes a moment to start. */
  prepare(): void;
  /** Stops the thread; what still waits is answered unparsed. */
  close(): Promise<void>;
}

export interface MimeParserOptions {
  readonly report: Reporter;
  /** What one mail may take once its turn has come. */
  readonly parseMs?: number;
  /** Memory of the thread, beyond which it is stopped. */
  readonly threadMebibytes?: number;
  /** Module that the thread runs instead of mime-thread, for tests of one that hangs or dies. */
  readonly entry?: URL;
}

/** Until a thread with nothing to do gives its memory back; a new one takes a moment to start. */
const IDLE_MS = 300_000;

/** Makes a parser; its thread starts with the first mail, or when one is expected. */
export function createMimeParser(options: MimeParserOptions): MimeParser {
  const { report, parseMs = 10_000, threadMebibytes = 512 } = options;
  const thread = createKillableThread<Uint8Array, OpenedMail>({
    name: 'mime',
    entry: options.entry ?? threadEntry('./mime-thread', import.meta.url),
    jobMs: parseMs,
    waitingJobs: Number.POSITIVE_INFINITY, // whoever asks waits for the answer anyway
    heapMebibytes: threadMebibytes,
    idleMs: IDLE_MS,
    report,
  });
  return {
    async parse(raw) {
      const opened = await thread.run(raw);
      return opened === undefined ? openPlainly(raw) : revive(opened);
    },
    prepare: () => thread.prepare(),
    close: () => thread.close(),
  };
}

/** Makes Buffers again of what crossed from the thread as bare arrays. */
function revive(opened: OpenedMail): OpenedMail {
  const parts = opened.parts.map((part) => {
    const { buffer, byteOffset, byteLength } = part.content;
    return { ...part, content: Buffer.from(buffer, byteOffset, byteLength) };
  });
  return { ...opened, parts };
}
