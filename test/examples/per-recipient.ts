import type { Sink, Verdict } from 'inboxd';

const TAKEN: Verdict = { code: 250, enhanced: '2.1.5', text: 'Taken' };
const FULL: Verdict = { code: 452, enhanced: '4.2.2', text: 'Mailbox full' };

/** Answers for each recipient alone: mailboxes whose name starts with "full" are. Over LMTP each gets its own reply. */
const perRecipient: Sink = async ({ envelope }) =>
  envelope.to.map(({ path }) => (path.local.startsWith('full') ? FULL : TAKEN));

export default perRecipient;
