import { describe, expect, it } from 'vitest';
import { OPEN_LIMITS } from '../../src/guard/limits.ts';
import { refuseLoops } from '../../src/guard/loops.ts';
import { repeatedSubjects } from '../../src/guard/repeated-subjects.ts';
import { type Content, contentOf } from '../../src/mail/content.ts';
import type { Filter, MessageOpinion, Visit } from '../../src/mail/filter.ts';
import { createId, type Message } from '../../src/mail/message.ts';
import { filterContract } from '../contracts/filter.ts';

async function judge(
  filter: Filter,
  content: string | Content,
  address = '192.0.2.1',
): Promise<MessageOpinion | undefined> {
  const visit: Visit = { session: createId(), protocol: 'SMTP', client: { address, port: 1, hello: '' } };
  const message: Message = {
    id: createId(),
    envelope: { from: { path: null, params: new Map() }, to: [] },
    content: typeof content === 'string' ? contentOf([Buffer.from(content)]) : content,
    receivedAt: new Date(0),
    client: visit.client,
    protocol: 'ESMTP',
    session: visit.session,
    transcript: [],
  };
  return filter.message!(visit, message, new AbortController().signal);
}

/** The same octets, but in a file. */
function filed(text: string): Content {
  const views = [Buffer.from(text.slice(0, 50)), Buffer.from(text.slice(50))];
  return {
    ...contentOf(views),
    at: { kind: 'file', path: '/nowhere' },
    stream: async function* () {
      yield* views;
    },
  };
}

describe('the loop check (RFC 5321 §6.3)', () => {
  const mail = (received: number, body = '') =>
    `${'Received: from a.test\r\n\tby b.test; Thu, 1 Jan 1970 00:00:00 +0000\r\n'.repeat(received)}Subject: hi\r\n\r\n${body}`;
  const loops = refuseLoops(100);

  it('lets a hundred Received fields through', async () => {
    expect(await judge(loops, mail(100))).toBeUndefined();
    expect(await judge(loops, filed(mail(100)))).toBeUndefined();
  });

  it('refuses one more with 554 5.4.6', async () => {
    for (const content of [mail(101), filed(mail(101)), mail(101).replaceAll('Received', 'rEcEiVeD')]) {
      expect(await judge(loops, content)).toMatchObject({ verdict: { code: 554, enhanced: '5.4.6' }, reason: 'loop' });
    }
  });

  it('counts the header only', async () => {
    expect(await judge(loops, mail(1, 'Received: x\r\n'.repeat(200)))).toBeUndefined();
    expect(await judge(loops, 'X-Received: x\r\n'.repeat(200))).toBeUndefined();
  });
});

describe('a subject that comes again and again', () => {
  function ban(limits: { subjectRepeats?: number; subjectMessagesPerMinute?: number } = { subjectRepeats: 20 }) {
    const clock = { ms: 1000 };
    const bans: string[] = [];
    const filter = repeatedSubjects({
      limits: { ...OPEN_LIMITS, ...limits },
      isExempt: (address) => address === '127.0.0.1',
      banned: (subject) => bans.push(subject),
      now: () => clock.ms,
    });
    return { clock, bans, filter };
  }
  const mail = (subject: string) => `Subject: ${subject}\r\n\r\nhello\r\n`;

  it('is banned for an hour after twenty within two minutes, from wherever it comes', async () => {
    const { clock, bans, filter } = ban();
    for (let i = 0; i < 20; i++) expect(await judge(filter, mail('Cheap pills'), `192.0.2.${i}`)).toBeUndefined();
    expect(await judge(filter, mail('Cheap pills'))).toMatchObject({
      verdict: { code: 554, enhanced: '5.7.1' },
      reason: 'banned-subject',
    });
    expect(bans).toEqual(['cheap pills']);
    clock.ms += 3_599_000;
    expect((await judge(filter, mail('Cheap pills')))?.reason).toBe('banned-subject');
    clock.ms += 1_000;
    expect(await judge(filter, mail('Cheap pills'))).toBeUndefined();
    expect(bans).toHaveLength(1);
  });

  it('is another than one that looks different, and the same as one that looks the same', async () => {
    const { filter } = ban({ subjectRepeats: 3 });
    for (const subject of ['Cheap  Pills', 'CHEAP pills', '=?utf-8?q?cheap_pills?=']) {
      expect(await judge(filter, mail(subject))).toBeUndefined();
      expect(await judge(filter, mail('other'))).toBeUndefined();
    }
    expect((await judge(filter, mail('cheap\r\n pills')))?.reason).toBe('banned-subject');
  });

  it('is not banned when it comes slowly', async () => {
    const { clock, filter } = ban();
    for (let i = 0; i < 100; i++) {
      expect(await judge(filter, mail('Daily report'))).toBeUndefined();
      clock.ms += 12_000;
    }
  });

  it('does not matter in mail without one, or from those who are exempt', async () => {
    const { filter } = ban({ subjectRepeats: 1 });
    for (let i = 0; i < 5; i++) {
      expect(await judge(filter, 'From: a@b.test\r\n\r\nhello')).toBeUndefined();
      expect(await judge(filter, mail(''))).toBeUndefined();
      expect(await judge(filter, mail('hi'), '127.0.0.1')).toBeUndefined();
    }
  });

  it('may have a limit per minute without a ban', async () => {
    const { clock, bans, filter } = ban({ subjectMessagesPerMinute: 60 });
    for (let i = 0; i < 60; i++) expect(await judge(filter, mail('news'))).toBeUndefined();
    expect(await judge(filter, mail('news'))).toMatchObject({ verdict: { code: 450 }, reason: 'subject-rate' });
    clock.ms += 120_000;
    expect(await judge(filter, mail('news'))).toBeUndefined();
    expect(bans).toEqual([]);
  });
});

filterContract('against loops', () => ({ filter: refuseLoops(100) }));
filterContract('of repeated subjects', () => ({
  filter: repeatedSubjects({ limits: { ...OPEN_LIMITS, subjectRepeats: 1000 }, isExempt: () => false, banned() {} }),
}));
