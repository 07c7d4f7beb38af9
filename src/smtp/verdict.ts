import { inspect } from 'node:util';
import type { Verdict } from '../mail/sink.ts';
import { reply, type SmtpReply } from './replies.ts';

const LINE = /^[\x20-\x7e]{1,450}$/;
const LEAD_LINES = 31;

/** A verdict as a reply, if it is one at all: a final code, an enhanced code of its class, plain lines. */
export function soundReply(verdict: Verdict): SmtpReply | undefined {
  const { code, enhanced, text, lead = [] } = verdict;
  const sound =
    Number.isInteger(code) &&
    code >= 200 &&
    code <= 599 &&
    (code < 300 || code >= 400) &&
    new RegExp(`^${String(code)[0]}\\.\\d{1,3}\\.\\d{1,3}$`).test(enhanced) &&
    Array.isArray(lead) &&
    lead.length <= LEAD_LINES &&
    [...lead, text].every((line) => typeof line === 'string' && LINE.test(line));
  return sound ? reply(code, enhanced, ...lead, text) : undefined;
}

/** In words, whatever was given: what refers to itself, or to a program's whole inside, has no JSON and no end. */
export function describeVerdict(verdict: unknown): string {
  return inspect(verdict, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
}

/** One line of plain text: what else is in it becomes a blank or a question mark, and its end is cut. */
export function oneLine(text: string): string {
  const words = text.slice(0, 450).replace(/\s+/g, ' ').trim();
  return words.replace(/[^\x20-\x7e]/g, '?');
}
