import type { VerifyLimits } from './limits.ts';

const LF = 0x0a;
const CR = 0x0d;
const SIGNING = /^(dkim-signature|arc-seal|arc-message-signature|arc-authentication-results)[ \t]*:/i;

/**
 * Finds the end of a header block; undefined when it is not there yet.
 * @param from where to begin; all before it has been looked at
 */
export function headerEnd(head: Buffer, from: number): number | undefined {
  if (head[0] === LF) return 1;
  if (head[0] === CR && head[1] === LF) return 2;
  const start = Math.max(0, from - 3);
  const bare = head.indexOf('\n\n', start);
  const full = head.indexOf('\n\r\n', start);
  if (full >= 0 && (bare < 0 || full < bare)) return full + 3;
  return bare >= 0 ? bare + 2 : undefined;
}

/** Why a header block is more than anyone should look at; undefined if it is not. */
export function excessOf(header: Buffer, limits: VerifyLimits): string | undefined {
  if (header.length > limits.headerBytes) return `its header has more than ${limits.headerBytes} octets`;
  let lines = 0;
  for (let at = header.indexOf(LF); at >= 0; at = header.indexOf(LF, at + 1)) lines++;
  return lines > limits.headerLines ? `its header has more than ${limits.headerLines} lines` : undefined;
}

/**
 * Hides signatures beyond a reasonable number and size from who verifies: each costs a hash of the whole body. They are
 * renamed where they stand, in a copy, so that nothing else moves.
 */
export function boundSignatures(header: Buffer, limits: VerifyLimits): Buffer {
  const bounded = Buffer.from(header);
  let signatures = 0;
  for (let at = 0; at < bounded.length; ) {
    const end = fieldEnd(bounded, at);
    const name = SIGNING.exec(bounded.toString('latin1', at, Math.min(end, at + 40)))?.[1]?.toLowerCase();
    if (name !== undefined) {
      const isDkim = name === 'dkim-signature';
      if (isDkim) signatures++;
      if (end - at > limits.signatureBytes || (isDkim && signatures > limits.signatures)) bounded.write('X-', at);
    }
    at = end;
  }
  return bounded;
}

/** Where the next field begins: behind the first line end that no white space follows. */
function fieldEnd(header: Buffer, from: number): number {
  for (let at = from; ; ) {
    const lineEnd = header.indexOf(LF, at);
    if (lineEnd < 0) return header.length;
    at = lineEnd + 1;
    if (header[at] !== 0x20 && header[at] !== 0x09) return at;
  }
}
