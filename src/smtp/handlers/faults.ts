import type { Fault, Why } from '../parse/parsed.ts';
import { reply, type SmtpReply } from '../replies.ts';

/** Code and enhanced code for each fault that a sender's and a recipient's command can have. */
const CODES: Readonly<Record<'MAIL' | 'RCPT', Readonly<Partial<Record<Why, readonly [number, string]>>>>> = {
  MAIL: {
    syntax: [501, '5.1.7'],
    length: [501, '5.1.7'],
    unsafe: [501, '5.1.7'],
    'non-ascii': [550, '5.6.7'],
    unknown: [555, '5.5.4'],
  },
  RCPT: {
    syntax: [501, '5.1.3'],
    length: [501, '5.1.3'],
    unsafe: [501, '5.1.3'],
    'non-ascii': [553, '5.6.7'],
    unknown: [555, '5.5.4'],
  },
};

/** Says what is wrong with the argument of MAIL or RCPT, in the parser's words. */
export function refuse(command: 'MAIL' | 'RCPT', fault: Fault): SmtpReply {
  const [code, enhanced] = CODES[command][fault.why] ?? [501, '5.5.4'];
  return reply(code, enhanced, fault.text);
}
