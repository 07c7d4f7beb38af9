import type { Verdict } from '../mail/sink.ts';
import { textOf } from './fields.ts';
import { MILTER_LIMITS } from './limits.ts';
import type { FromMilter } from './packets.ts';

/** What a milter wants done, in the protocol's words. */
export type Answer =
  | { readonly kind: 'continue' | 'accept' | 'discard' | 'skip' }
  /** `oddity` says why the milter's own words could not be used, if so. */
  | { readonly kind: 'refuse'; readonly verdict: Verdict; readonly oddity?: string };

export const CONTINUE: Answer = Object.freeze({ kind: 'continue' });

export const REJECTED: Verdict = Object.freeze({ code: 550, enhanced: '5.7.1', text: 'Command rejected' });
export const UNAVAILABLE: Verdict = Object.freeze({
  code: 451,
  enhanced: '4.7.1',
  text: 'Service unavailable - try again later',
});
export const DISCONNECTED: Verdict = Object.freeze({
  code: 421,
  enhanced: '4.7.1',
  text: 'Service unavailable - try again later',
});
export const REFUSED_FOR_GOOD: Verdict = Object.freeze({ code: 550, enhanced: '5.5.0', text: 'Service unavailable' });
export const HEAD_TOO_LARGE: Verdict = Object.freeze({
  code: 552,
  enhanced: '5.3.4',
  text: 'Header section exceeds the size limit',
});

/** A packet as an answer; undefined for one that is none. */
export function answerOf(packet: FromMilter): Answer | undefined {
  switch (packet.kind) {
    case 'continue':
    case 'accept':
    case 'discard':
    case 'skip':
      return { kind: packet.kind };
    case 'reject':
      return { kind: 'refuse', verdict: REJECTED };
    case 'tempfail':
      return { kind: 'refuse', verdict: UNAVAILABLE };
    case 'shutdown':
      return { kind: 'refuse', verdict: DISCONNECTED };
    case 'reply': {
      const read = parseReply(packet.text);
      if (read.ok) return { kind: 'refuse', verdict: read.verdict };
      // its words cannot be used, but it did say no: for good, unless they began as a no for now
      const verdict = packet.text.startsWith('4') ? UNAVAILABLE : REJECTED;
      return { kind: 'refuse', verdict, oddity: `its reply cannot be used: ${read.why}` };
    }
    default:
      return undefined;
  }
}

export type ReadReply = { readonly ok: true; readonly verdict: Verdict } | { readonly ok: false; readonly why: string };

const LINE = /^([45])(\d\d)([ -])(?:([245])\.(\d{1,3})\.(\d{1,3})(?: |$))?(.*)$/;

/** Reads a reply in a milter's own words: all its lines of one code, `%%` for a percent sign. */
export function parseReply(octets: string): ReadReply {
  const lines = octets.split('\r\n');
  if (lines.length > MILTER_LIMITS.replyLines) return bad('it has too many lines');
  const texts: string[] = [];
  let code = 0;
  let enhanced = '';
  for (const [index, line] of lines.entries()) {
    if (line.length > MILTER_LIMITS.replyLineBytes) return bad('a line is too long');
    if (/[\r\n\0]/.test(line)) return bad('a line end stands within a line');
    const match = LINE.exec(line);
    if (!match) return bad('a line begins with no code of 4xx or 5xx');
    const [, first = '', rest = '', mark, status, subject, detail, text = ''] = match;
    const isLast = index === lines.length - 1;
    if ((mark === ' ') !== isLast) return bad('its lines are not marked as lines of one reply');
    if (index > 0 && code !== Number(first + rest)) return bad('its lines have several codes');
    code = Number(first + rest);
    if (status !== undefined && status !== first) return bad('code and enhanced code contradict each other');
    if (status !== undefined) enhanced ||= `${status}.${subject}.${detail}`;
    texts.push(plain(text));
  }
  const text = texts.pop() || 'Refused';
  enhanced ||= `${Math.floor(code / 100)}.7.1`;
  const lead = texts.map((one) => one || '-');
  return { ok: true, verdict: { code, enhanced, text, ...(lead.length > 0 && { lead }) } };
}

/** Text for a reply: the milter doubled its percent signs, and a reply is of ASCII. */
function plain(text: string): string {
  const words = textOf(text.replaceAll('%%', '%')).trim();
  return words.replace(/[^\x20-\x7e]/gu, '?');
}

function bad(why: string): ReadReply {
  return { ok: false, why };
}
