import { describe, expect, it } from 'vitest';
import type { Agent, AgentMail } from '../../src/index.ts';
import { checkAnswer } from '../../src/responders/answer.ts';

/** A mail as an agent gets it. */
export function agentMail(changes: Partial<AgentMail> = {}): AgentMail {
  return {
    id: '01kb3v5n8e6m2c9y4q7d1t0xwz',
    inbox: 'echo@here.example',
    address: 'Echo+tag@here.example',
    tag: 'tag',
    sender: 'ann@there.example',
    envelope: { from: 'ann@there.example', to: ['Echo+tag@here.example'] },
    from: { name: 'Ann', address: 'ann@there.example' },
    to: [{ name: '', address: 'Echo+tag@here.example' }],
    cc: [],
    replyTo: [],
    subject: 'hello',
    text: 'one\ntwo\n',
    html: '',
    attachments: [],
    headers: [{ name: 'Subject', value: 'hello' }],
    messageId: '1@there.example',
    date: null,
    receivedAt: new Date('2026-01-02T03:04:05Z'),
    ...changes,
  };
}

/** Mails that strangers make, of which an agent makes an answer that can be sent, or none, and never fails. */
const STRANGE: readonly (readonly [what: string, mail: AgentMail])[] = [
  ['an ordinary mail', agentMail()],
  ['an empty mail', agentMail({ subject: '', text: '', headers: [], from: null, to: [] })],
  ['HTML alone', agentMail({ text: '', html: '<p>hi' })],
  ['half a character', agentMail({ subject: '\ud800', text: '\udfff' })],
  ['controls', agentMail({ subject: 'a\r\nBcc: b@c', text: '\u0000\u001b[31m\r\n.\r\n' })],
  ['a very long line', agentMail({ text: 'x'.repeat(3_000_000) })],
  ['very many lines', agentMail({ text: '\n'.repeat(500_000) })],
  [
    'an attachment without a name',
    agentMail({
      attachments: [{ fileName: '', contentType: 'x/y', contentId: '', isInline: false, content: new Uint8Array(3) }],
    }),
  ],
];

/** What every agent that comes with the daemon, or is shown to people, keeps to. */
export function agentContract(name: string, agent: Agent): void {
  describe(`the agent ${name}`, () => {
    it.each(STRANGE)('makes of %s what can be sent, or nothing', async (_, mail) => {
      expect(checkAnswer(await agent(mail))).toMatchObject({ ok: true });
    });
  });
}
