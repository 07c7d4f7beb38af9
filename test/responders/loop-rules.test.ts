import { describe, expect, it } from 'vitest';
import { readHeaderFields } from '../../src/mail/headers.ts';
import { failedVerification, PENDING, type Verification } from '../../src/mail/verification.ts';
import { type AnswerFacts, whyNotToAnswer, whyNotToForward } from '../../src/responders/loop-rules.ts';

const fieldsOf = (header: string) => readHeaderFields(Buffer.from(`${header}\r\n\r\n`)).fields;

function facts(changes: Partial<AnswerFacts> & { readonly header?: string } = {}): AnswerFacts {
  const { header = 'From: Ann <ann@there.example>\r\nMessage-ID: <1@there.example>', ...others } = changes;
  return {
    sender: 'ann@there.example',
    fields: fieldsOf(header),
    inbox: 'echo@here.example',
    address: 'echo@here.example',
    hostname: 'mx.here.example',
    isOwn: () => false,
    verification: null,
    senders: 'not-failed',
    ...others,
  };
}

describe('a mail is not answered (RFC 3834 §2)', () => {
  it.each([
    ['null-sender', ''],
    ['unanswerable', 'postmaster'],
    ['unanswerable', 'no mailbox'],
    ['robot', 'MAILER-DAEMON@there.example'],
    ['robot', 'no-reply@there.example'],
    ['robot', 'noreply@there.example'],
    ['robot', 'donotreply@there.example'],
    ['robot', 'do-not-reply@there.example'],
    ['robot', 'bounce+ann=x@there.example'],
    ['robot', 'owner-list@there.example'],
    ['robot', 'list-request@there.example'],
    ['robot', 'list-bounces@there.example'],
    ['robot', 'SRS0=ab=cd=x.example=ann@there.example'],
    ['own-address', 'echo@here.example'],
    ['own-address', 'Echo+tag@HERE.example'],
  ] as const)('as %s from <%s>', (reason, sender) => {
    expect(whyNotToAnswer(facts({ sender }))).toBe(reason);
  });

  it.each([
    ['auto-submitted', 'Auto-Submitted: auto-replied'],
    ['auto-submitted', 'Auto-Submitted: AUTO-GENERATED; owner-email="a@b"'],
    ['auto-submitted', 'auto-submitted:\r\n (vacation) auto-notified'],
    ['auto-submitted', 'Auto-Submitted: no\r\nAuto-Submitted: auto-replied'],
    ['auto-submitted', 'Auto-Submitted:'],
    ['auto-submitted', 'X-Autoreply: yes'],
    ['suppressed', 'X-Auto-Response-Suppress: All'],
    ['suppressed', 'X-Auto-Response-Suppress: DR, OOF, AutoReply'],
    ['precedence', 'Precedence: bulk'],
    ['precedence', 'Precedence: List'],
    ['precedence', 'PRECEDENCE: junk (really)'],
    ['list', 'List-Id: <l.example>'],
    ['list', 'List-Unsubscribe: <mailto:a@b>'],
    ['list', 'Mailing-List: contact a@b'],
    ['report', 'Content-Type: multipart/report; report-type=delivery-status'],
    ['report', 'X-Failed-Recipients: a@b'],
    ['loop', 'X-Loop: ECHO@here.example'],
    ['loop', 'Message-ID: <inboxd-auto.0123.abc@MX.here.example>'],
    ['loop', Array(31).fill('Received: from a by b; Mon, 1 Jan 2024 00:00:00 +0000').join('\r\n')],
  ] as const)('as %s with %s', (reason, header) => {
    expect(whyNotToAnswer(facts({ header }))).toBe(reason);
  });

  it('as own-address from whoever has an agent too', () => {
    const isOwn = ({ local }: { readonly local: string }): boolean => local === 'time';
    expect(whyNotToAnswer(facts({ sender: 'time@elsewhere.example', isOwn }))).toBe('own-address');
    expect(whyNotToAnswer(facts({ sender: 'ann@elsewhere.example', isOwn }))).toBeUndefined();
  });
});

describe('a mail is answered', () => {
  it.each([
    ['without a word against it', ''],
    ['with Auto-Submitted: no', 'Auto-Submitted: No (a person); x=y'],
    ['with Precedence: first-class', 'Precedence: first-class'],
    ['with another suppression', 'X-Auto-Response-Suppress: DR, RN'],
    ['with the X-Loop of others', 'X-Loop: ann@there.example'],
    ['with an id of its own from our host', 'Message-ID: <1@mx.here.example>'],
    ['with thirty Received fields', Array(30).fill('Received: from a by b').join('\r\n')],
  ] as const)('%s', (_, header) => {
    expect(whyNotToAnswer(facts({ header }))).toBeUndefined();
  });
});

const finding = (result: 'pass' | 'fail' | 'softfail' | 'none' | 'temperror', domain: string) => ({
  result,
  domain,
  reason: '',
});
function verified(spf: Parameters<typeof finding>[0], dmarc: Parameters<typeof finding>[0]): Verification {
  return {
    ...PENDING,
    status: 'done',
    spf: { ...finding(spf, 'there.example'), identity: 'mailfrom' },
    dmarc: { ...finding(dmarc, 'there.example'), policy: 'none' },
  };
}

describe('who is answered by what is known of the sender', () => {
  it.each([
    // what was found                     any        not-failed     verified
    ['nobody asked', null, true, true, true],
    ['nobody can tell', failedVerification('late'), true, false, false],
    ['SPF passes', verified('pass', 'none'), true, true, true],
    ['both pass', verified('pass', 'pass'), true, true, true],
    ['SPF fails', verified('fail', 'none'), true, false, false],
    ['SPF fails softly', verified('softfail', 'none'), true, false, false],
    ['DMARC fails', verified('none', 'fail'), true, false, false],
    ['SPF passes and DMARC fails', verified('pass', 'fail'), true, false, false],
    ['SPF fails where DKIM vouches for the sender', verified('fail', 'pass'), true, true, true],
    ['nothing is published', verified('none', 'none'), true, true, false],
    ['DNS does not answer', verified('temperror', 'none'), true, true, false],
  ] as const)('%s', (_, verification, any, notFailed, strict) => {
    const answers = (senders: AnswerFacts['senders']) => whyNotToAnswer(facts({ verification, senders })) === undefined;
    expect([answers('any'), answers('not-failed'), answers('verified')]).toEqual([any, notFailed, strict]);
  });

  it('DKIM of another domain does not vouch for the sender', () => {
    const header = 'From: <eve@elsewhere.example>';
    expect(whyNotToAnswer(facts({ header, verification: verified('fail', 'pass') }))).toBe('unverified');
    const both = 'From: <eve@there.example>\r\nFrom: <eve@elsewhere.example>';
    expect(whyNotToAnswer(facts({ header: both, verification: verified('fail', 'pass') }))).toBe('unverified');
  });
});

describe('a mail is forwarded', () => {
  const to = { address: 'postmaster@here.example', hostname: 'mx.here.example' };

  it('even from nobody: bounces are for people', () => {
    expect(whyNotToForward({ ...to, fields: fieldsOf('Auto-Submitted: auto-generated') })).toBeUndefined();
  });

  it.each([
    'X-Loop: postmaster@here.example',
    'Message-ID: <inboxd-auto.1.a@mx.here.example>',
    Array(31).fill('Received: from a by b').join('\r\n'),
  ])('but not in circles: %s', (header) => {
    expect(whyNotToForward({ ...to, fields: fieldsOf(header) })).toBe('loop');
  });
});
