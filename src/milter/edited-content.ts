import type { Content, Spool } from '../mail/content.ts';
import type { NewBody } from './edits.ts';
import type { HeaderLine } from './head.ts';

/**
 * The content of a message that a milter has changed: a new spool entry, written from the old one as it streams, so
 * that no more of it is in memory than of any other. What was not changed is copied octet for octet.
 */

const LINE_END = Buffer.from('\r\n');
const LF = 0x0a;

export interface Changes {
  /** Fields in their new order. */
  readonly lines: readonly HeaderLine[];
  /** Where the body began, and the line in front of it, '' if there was none. */
  readonly bodyAt: number;
  readonly separator: Buffer;
  /** Takes the place of the body; the old one stays if absent. */
  readonly body?: NewBody;
}

/**
 * Writes the changed form of a content.
 * @throws the system's error if the spool cannot take it; nothing is left of it then
 */
export async function editContent(content: Content, changes: Changes, spool: Spool): Promise<Content> {
  const { lines, separator, bodyAt, body } = changes;
  const newBody = body && (await finishBody(body));
  const writer = spool();
  try {
    for (const { octets } of lines) {
      await writer.write(octets);
      // the last field of a message may have had no line end, and something may follow it now
      if (octets.at(-1) !== LF) await writer.write(LINE_END);
    }
    await writer.write(separator.length > 0 ? separator : LINE_END);
    if (newBody) for await (const view of newBody.stream()) await writer.write(view);
    else for await (const view of behind(content.stream(), bodyAt)) await writer.write(view);
    return await writer.finish(newBody ? newBody.bareNewlines : content.bareNewlines);
  } catch (error) {
    writer.abort();
    throw error;
  } finally {
    newBody?.release();
  }
}

/** The new body as a content; its last line may have been left without an end. */
async function finishBody({ writer, newlines, lastOctet }: NewBody): Promise<Content> {
  if (writer.bytes > 0 && lastOctet !== LF) {
    newlines.see(LINE_END);
    await writer.write(LINE_END);
  }
  return writer.finish(newlines.end());
}

/** What of a stream lies behind its first octets. */
async function* behind(stream: AsyncIterable<Buffer>, octets: number): AsyncGenerator<Buffer> {
  let left = octets;
  for await (const view of stream) {
    if (view.length > left) yield left === 0 ? view : view.subarray(left);
    left = Math.max(0, left - view.length);
  }
}
