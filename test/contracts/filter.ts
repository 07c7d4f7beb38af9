import { describe, expect, it } from 'vitest';
import { contentOf } from '../../src/mail/content.ts';
import { NO_PARAMS, type Recipient, type Sender } from '../../src/mail/envelope.ts';
import type { Filter, MessageOpinion, Visit } from '../../src/mail/filter.ts';
import { createId, type Message } from '../../src/mail/message.ts';
import { oneLine, soundReply } from '../../src/smtp/verdict.ts';

/** A filter under test and the way to end what it has started. */
export interface FilterUnderTest {
  readonly filter: Filter;
  close?(): Promise<void> | void;
}

const CONTENT = Buffer.from('Subject: hello\r\nMessage-ID: <1@b.test>\r\n\r\nHello there.\r\n');
const FROM: Sender = { path: { local: 'a', domain: 'b.test', text: 'a@b.test' }, params: NO_PARAMS };
const NULL_SENDER: Sender = { path: null, params: NO_PARAMS };
const TO: Recipient = { path: { local: 'c', domain: 'd.test', text: 'c@d.test' }, params: NO_PARAMS };

function visitFrom(address: string, hello = ''): Visit & { client: { hello: string } } {
  return { session: createId(), protocol: 'SMTP', client: { address, port: 40_000, hello } };
}

function messageOf(visit: Visit, from: Sender = FROM): Message {
  return {
    id: createId(),
    envelope: { from, to: [TO] },
    content: contentOf([CONTENT]),
    receivedAt: new Date(),
    client: visit.client,
    protocol: 'ESMTP',
    session: visit.session,
    transcript: [],
  };
}

/** What every filter must do, whatever it thinks: the daemon relies on it. */
export function filterContract(name: string, create: () => Promise<FilterUnderTest> | FilterUnderTest): void {
  async function using(test: (filter: Filter) => Promise<void>): Promise<void> {
    const { filter, close } = await create();
    try {
      await test(filter);
    } finally {
      await close?.();
    }
  }

  /** Gives what the filter thinks in each phase of a whole session. */
  async function session(filter: Filter, visit: Visit, from: Sender = FROM): Promise<(MessageOpinion | undefined)[]> {
    const message = messageOf(visit, from);
    const opinions = [
      await filter.connect?.(visit),
      await filter.hello?.(visit, 'client.test'),
      await filter.mail?.(visit, from),
      await filter.rcpt?.(visit, from, TO, []),
      await filter.data?.(visit, { from, to: [TO] }),
      await filter.message?.(visit, message, new AbortController().signal),
    ];
    filter.reset?.(visit);
    filter.closed?.(visit);
    return opinions;
  }

  describe(`filter ${name}`, () => {
    it('has a name that can be counted by', () =>
      using(async ({ name: word }) => {
        expect(word).toMatch(/^[a-z][a-z0-9-]{0,31}$/);
      }));

    it.each(['192.0.2.1', '2001:db8::1', '127.0.0.1', '::1', '::ffff:192.0.2.7', 'local'])(
      'has no opinion, or one that can be said, of a client at %s',
      (address) =>
        using(async (filter) => {
          for (const from of [FROM, NULL_SENDER]) {
            for (const opinion of await session(filter, visitFrom(address), from)) {
              if (!opinion) continue;
              if (opinion.verdict) {
                const said = soundReply({ ...opinion.verdict, text: oneLine(opinion.verdict.text) });
                expect(said?.code, JSON.stringify(opinion.verdict)).toBeGreaterThanOrEqual(400);
              }
              if (opinion.reason !== undefined) expect(opinion.reason).toMatch(/^[a-z][a-z0-9-]{0,31}$/);
              expect(opinion.delayMs ?? 0).toBeGreaterThanOrEqual(0);
            }
          }
        }),
    );

    it('bears sessions that end anywhere, and being told so twice', () =>
      using(async (filter) => {
        for (let steps = 0; steps <= 4; steps++) {
          const visit = visitFrom('192.0.2.2');
          if (steps > 0) await filter.connect?.(visit);
          if (steps > 1) await filter.hello?.(visit, 'client.test');
          if (steps > 2) await filter.mail?.(visit, FROM);
          if (steps > 3) await filter.rcpt?.(visit, FROM, TO, []);
          filter.failed?.(visit, 503, 'RCPT');
          filter.reset?.(visit);
          filter.reset?.(visit);
          filter.closed?.(visit);
          filter.closed?.(visit);
        }
      }));

    it('keeps sessions apart that run at the same time', () =>
      using(async (filter) => {
        const visits = Array.from({ length: 8 }, (_, index) => visitFrom(`192.0.2.${10 + index}`));
        const all = await Promise.all(visits.map((visit) => session(filter, visit)));
        const codes = all.map((opinions) => opinions.map((opinion) => opinion?.verdict?.code ?? 0));
        for (const one of codes) expect(one).toEqual(codes[0]);
      }));

    it('leaves the message it was shown as it was', () =>
      using(async (filter) => {
        const visit = visitFrom('192.0.2.3');
        await filter.connect?.(visit);
        await filter.hello?.(visit, 'client.test');
        await filter.mail?.(visit, FROM);
        await filter.rcpt?.(visit, FROM, TO, []);
        const message = messageOf(visit);
        await filter.message?.(visit, message, new AbortController().signal);
        const views: Buffer[] = [];
        for await (const view of message.content.stream()) views.push(view);
        expect(Buffer.concat(views).equals(CONTENT)).toBe(true);
        expect(message.envelope).toEqual({ from: FROM, to: [TO] });
        filter.closed?.(visit);
      }));
  });
}
