import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { contentOf, createMemorySpool } from '../../src/mail/content.ts';
import type { Filter, Opinion, Phase, Visit } from '../../src/mail/filter.ts';
import { amend, type Message } from '../../src/mail/message.ts';
import type { Report } from '../../src/mail/report.ts';
import { SMTP_LIMITS } from '../../src/smtp/limits.ts';
import { prepare, Session } from '../../src/smtp/session.ts';
import { smtp } from '../../src/smtp/table.ts';
import { Connection } from '../../src/wire/connection.ts';
import { Places } from '../../src/wire/listener.ts';
import { filterContract } from '../contracts/filter.ts';
import { FakeSocket } from '../support/fake-socket.ts';

interface Talk {
  readonly socket: FakeSocket;
  readonly reports: Report[];
  readonly messages: Message[];
  /** Sends lines, waits for as many replies, and gives their codes. */
  say(...lines: string[]): Promise<number[]>;
}

function talk(filters: readonly Filter[], { sleepers }: { sleepers?: Places } = {}): Talk {
  const reports: Report[] = [];
  const messages: Message[] = [];
  const services = prepare({
    protocol: 'SMTP',
    hostname: 'mx.test',
    limits: SMTP_LIMITS,
    sink: (message) => void messages.push(message),
    spool: createMemorySpool(),
    report: (report) => reports.push(report),
    bareNewlines: 'reject',
    lenientSyntax: false,
    room: () => Number.POSITIVE_INFINITY,
    filters,
    ...(sleepers && { sleepers }),
  });
  const socket = new FakeSocket();
  const session = new Session(services, socket.remoteAddress, socket.remotePort);
  new Connection(socket.asSocket, smtp, session).start();
  let heard = 0;
  const replies = (): number[] =>
    [
      ...Buffer.concat(socket.written)
        .toString()
        .matchAll(/^(\d{3}) /gm),
    ].map((match) => Number(match[1]));
  return {
    socket,
    reports,
    messages,
    async say(...lines) {
      if (lines.length > 0) socket.send(Buffer.from(`${lines.join('\r\n')}\r\n`));
      for (let quiet = 0, before = -1; quiet < 20; quiet++) {
        await turn();
        if (replies().length !== before) quiet = 0;
        before = replies().length;
      }
      const fresh = replies().slice(heard);
      heard += fresh.length;
      return fresh;
    },
  };
}

/** Notes what it is asked and told. */
class Witness implements Filter {
  readonly name = 'witness';
  readonly seen: string[] = [];
  readonly visits = new Set<Visit>();
  #note(visit: Visit, what: string): undefined {
    this.visits.add(visit);
    this.seen.push(what);
  }
  connect = (visit: Visit) => this.#note(visit, 'connect');
  hello = (visit: Visit, name: string) => this.#note(visit, `hello ${name} ${visit.client.hello}`);
  mail = (visit: Visit) => this.#note(visit, 'mail');
  rcpt: Filter['rcpt'] = (visit, _from, to, others) => this.#note(visit, `rcpt ${to.path.text} +${others.length}`);
  data: Filter['data'] = (visit, envelope) => this.#note(visit, `data ${envelope.to.length}`);
  message: Filter['message'] = (visit, message) => this.#note(visit, `message ${message.content.bytes}`);
  failed = (visit: Visit, code: number, event: string) => this.#note(visit, `failed ${code} ${event}`);
  reset = (visit: Visit) => this.#note(visit, 'reset');
  closed = (visit: Visit) => this.#note(visit, 'closed');
}

const OPEN = ['EHLO me.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>'];

describe('filters', () => {
  it('are asked in the order of the conversation, of one visit, and told each end once', async () => {
    const witness = new Witness();
    const { say, socket } = talk([witness]);
    await say(...OPEN, 'RCPT TO:<e@f.test>', 'RCPT FROM:<x>', 'DATA', 'hi', '.', 'RCPT TO:<x@y.test>');
    await say('MAIL FROM:<a@b.test>', 'RSET', 'RSET', 'MAIL FROM:<a@b.test>');
    socket.destroy();
    await say();
    expect(witness.seen).toEqual([
      ...['connect', 'hello me.test me.test', 'mail', 'rcpt c@d.test +0', 'rcpt e@f.test +1', 'failed 501 RCPT'],
      ...['data 2', 'message 4', 'reset', 'failed 503 RCPT', 'mail', 'reset', 'mail', 'reset', 'closed'],
    ]);
    expect(witness.visits.size).toBe(1);
  });

  it('that said yes to a sender learn that another said no', async () => {
    const witness = new Witness();
    const { say } = talk([witness, { name: 'no', mail: () => ({ verdict: no(550) }) }]);
    expect(await say('EHLO me.test', 'MAIL FROM:<a@b.test>')).toEqual([220, 250, 550]);
    expect(witness.seen.slice(2)).toEqual(['mail', 'reset', 'failed 550 MAIL']);
  });

  it('that were not asked keep handlers from waiting', async () => {
    const { say } = talk([{ name: 'idle', closed() {} }]);
    expect(await say(...OPEN, 'DATA')).toEqual([220, 250, 250, 250, 354]);
  });

  it('are not asked on and change nothing when the client has gone meanwhile', async () => {
    const answer = Promise.withResolvers<undefined>();
    const witness = new Witness();
    const { say, socket, messages } = talk([{ name: 'slow', message: () => answer.promise }, witness]);
    await say(...OPEN, 'DATA', '.');
    socket.destroy();
    await say();
    answer.resolve(undefined);
    await say();
    expect(messages).toEqual([]);
    expect(witness.seen.slice(-3)).toEqual(['data 1', 'reset', 'closed']);
  });

  it('that throw where they are only told are reported, and nothing else suffers', async () => {
    const broken = (): never => {
      throw new Error('broken');
    };
    const { say, socket, reports } = talk([{ name: 'broken', failed: broken, reset: broken, closed: broken }]);
    expect(await say('NONSENSE', ...OPEN, 'RSET', 'QUIT')).toEqual([220, 500, 250, 250, 250, 250, 221]);
    socket.destroy();
    await say();
    const crashes = reports.filter(({ type }) => type === 'crash');
    expect(crashes).toHaveLength(3);
    expect(reports.at(-1)).toMatchObject({ type: 'session-end', reason: 'quit' });
  });

  it('Sink or milter text: several lines, controls or a class that does not match never break a reply', async () => {
    const say = (text: string, enhanced = '5.7.1'): Filter => ({
      name: 'odd',
      mail: () => ({ verdict: { ...no(550), enhanced, text } }),
    });
    for (const [filter, line] of [
      [say('no\r\n250 yes'), '550 5.7.1 no 250 yes'],
      [say('\u0000\u001b[2J'), '550 5.7.1 ??[2J'],
      [say('x'.repeat(10_000)), `550 5.7.1 ${'x'.repeat(450)}`],
      [say('no', '2.0.0'), '451 4.3.0 Local error in policy check; try again later'],
      [say(''), '451 4.3.0 Local error in policy check; try again later'],
    ] as const) {
      const { say: send, socket } = talk([filter]);
      await send('EHLO me.test', 'MAIL FROM:<a@b.test>');
      expect(Buffer.concat(socket.written).toString().split('\r\n').at(-2)).toBe(line);
    }
  });

  it('may choose the words for a command that nobody knows, at once or later, and no more than that', async () => {
    const seen: string[] = [];
    const filter: Filter = {
      name: 'words',
      unknown: (_visit, line) => {
        seen.push(line);
        if (line.startsWith('FROB')) return { verdict: no(550) };
        return line.startsWith('LATE') ? Promise.resolve({ verdict: no(451) }) : undefined;
      },
    };
    const { say } = talk([filter]);
    expect(await say('FROB x', 'LATE', 'NIX', 'NOOP')).toEqual([220, 550, 451, 500, 250]);
    expect(seen).toEqual(['FROB x', 'LATE', 'NIX']);
    expect(await say('GET / HTTP/1.1')).toEqual([421]); // somebody's browser: nobody is asked
    expect(seen).toHaveLength(3);
  });

  it('are told of sound recipients that are refused, with what the client is told', async () => {
    const told: string[] = [];
    const listens: Filter = {
      name: 'listens',
      refusedRcpt: (_visit, _from, to, { code, enhanced, text }) =>
        void told.push(`${to.path.text} ${code} ${enhanced} ${text}`),
    };
    const refuses: Filter = {
      name: 'refuses',
      rcpt: (_visit, _from, to) => (to.path.local === 'x' ? Promise.resolve({ verdict: no(550) }) : undefined),
    };
    const { say } = talk([refuses, listens]);
    await say(...OPEN, 'RCPT TO:<x@y.test>', 'RCPT TO:<nonsense>', 'RCPT TO:<z@y.test>');
    expect(told).toEqual(['x@y.test 550 5.7.1 No']);
  });

  it('may say no in several lines', async () => {
    const lead = ['First', 'sec\r\nond'];
    const { say, socket } = talk([{ name: 'wordy', mail: () => ({ verdict: { ...no(550), lead } }) }]);
    await say('EHLO me.test', 'MAIL FROM:<a@b.test>');
    const said = Buffer.concat(socket.written).toString();
    expect(said.endsWith('550-5.7.1 First\r\n550-5.7.1 sec ond\r\n550 5.7.1 No\r\n')).toBe(true);
  });

  it('that change a message after others let go of the form in between, and of that alone', async () => {
    const released: string[] = [];
    const form = (name: string) => {
      const content = contentOf([Buffer.from(name)]);
      return Object.assign(content, { release: () => void released.push(name) });
    };
    const change = (name: string): Filter => ({
      name,
      message: (_visit, message) => ({ message: amend(message, { content: form(name) }) }),
    });
    const { say, messages } = talk([
      change('one'),
      change('two'),
      { name: 'last', message: () => ({ verdict: no(550) }) },
    ]);
    await say(...OPEN, 'DATA', 'hi', '.');
    expect(messages).toEqual([]);
    expect(released).toEqual(['one', 'two']); // the second when the message was refused
  });

  it('hear by their signal that their time is up', async () => {
    const late = Promise.withResolvers<Error>();
    const filter: Filter = {
      name: 'late',
      deadlineMs: 10,
      whenFailing: 'pass',
      message: (_visit, _message, signal) =>
        new Promise(() => signal.addEventListener('abort', () => late.resolve(signal.reason as Error))),
    };
    const { say, messages } = talk([filter]);
    await say(...OPEN, 'DATA', '.');
    expect((await late.promise).message).toBe('took longer than 10 ms');
    await expect.poll(() => messages.length).toBe(1);
  });

  it('find every refusal reported with phase and reason', async () => {
    const { say, reports } = talk([{ name: 'no', rcpt: () => ({ verdict: no(550), reason: 'listed' }) }]);
    await say('FROB', ...OPEN, 'DATA');
    const refusals = reports.filter((report) => report.type === 'refusal');
    expect(refusals.map(({ phase, reason, filter, code }) => [phase, reason, filter, code])).toEqual([
      ['command', 'sequence', undefined, 500],
      ['rcpt', 'listed', 'no', 550],
      ['data', 'sequence', undefined, 554],
    ]);
  });

  it('hold back only as many replies as may sleep; the next client is refused instead', async () => {
    const sleepers = new Places(1);
    const slow: Filter = { name: 'slow', mail: () => ({ delayMs: 60_000 }) };
    const first = talk([slow], { sleepers });
    const second = talk([slow], { sleepers });
    expect(await first.say('EHLO me.test', 'MAIL FROM:<a@b.test>')).toEqual([220, 250]);
    expect(await second.say('EHLO me.test', 'MAIL FROM:<a@b.test>', 'NOOP')).toEqual([220, 250, 450, 250]);
    first.socket.destroy();
    await first.say();
    expect(sleepers.take()).toBe(true); // the place of one who left is free again
  });
});

describe('Half-cleared state: after each answer of a filter', () => {
  const yes = undefined;
  const outcomes: Readonly<Record<string, () => Opinion | undefined | Promise<Opinion | undefined>>> = {
    refuses: () => ({ verdict: no(550) }),
    defers: async () => ({ verdict: no(451) }),
    throws: () => {
      throw new Error('broken');
    },
    rejects: async () => {
      throw new Error('broken');
    },
    'talks nonsense': () => ({ verdict: { code: 250, enhanced: '2.0.0', text: 'yes' } }),
  };
  const after: Readonly<Partial<Record<Phase, { before: string[]; next: [string, number][] }>>> = {
    hello: {
      before: [],
      next: [
        ['MAIL FROM:<p@q.test>', 503],
        ['RCPT TO:<p@q.test>', 503],
        ['DATA', 503],
      ],
    },
    mail: {
      before: ['EHLO me.test'],
      next: [
        ['RCPT TO:<p@q.test>', 503],
        ['DATA', 503],
        ['BDAT 0 LAST', 503],
      ],
    },
    rcpt: {
      before: OPEN.slice(0, 2),
      next: [
        ['MAIL FROM:<p@q.test>', 503],
        ['DATA', 554],
        ['RSET', 250],
        ['DATA', 503],
      ],
    },
    data: {
      before: OPEN,
      next: [
        ['MAIL FROM:<p@q.test>', 503],
        ['RSET', 250],
        ['RCPT TO:<p@q.test>', 503],
        ['DATA', 503],
      ],
    },
    message: {
      before: [...OPEN, 'DATA', 'x'],
      next: [
        ['RCPT TO:<p@q.test>', 503],
        ['DATA', 503],
        ['BDAT 0', 503],
      ],
    },
  };
  const asks: Readonly<Partial<Record<Phase, string>>> = {
    hello: 'EHLO no.test',
    mail: OPEN[1]!,
    rcpt: OPEN[2]!,
    data: 'DATA',
    message: '.',
  };

  for (const [phase, { before, next }] of Object.entries(after)) {
    it.each(Object.keys(outcomes))(
      `that ${phase === 'hello' ? '' : 'in '}${phase} it %s, nothing half is left`,
      async (outcome) => {
        let asked = false;
        const filter = {
          name: 'judge',
          [phase]: () => {
            if (asked) return yes;
            asked = true;
            return outcomes[outcome]!();
          },
        };
        const { say, messages } = talk([filter]);
        await say(...before);
        const [code] = (await say(asks[phase as Phase]!)).slice(-1);
        expect(code).toBeGreaterThanOrEqual(400);
        for (const [command, expected] of next) expect((await say(command)).at(-1), command).toBe(expected);
        expect(messages).toEqual([]);
        // and a whole transaction goes through afterwards
        expect(await say(...OPEN, 'DATA', 'hi', '.')).toEqual([250, 250, 250, 354, 250]);
        expect(messages).toHaveLength(1);
      },
    );
  }
});

function no(code: number) {
  return { code, enhanced: `${Math.floor(code / 100)}.7.1`, text: 'No' };
}

filterContract('that says nothing', () => ({ filter: { name: 'silent' } }));
filterContract('that refuses everything', () => ({
  filter: {
    name: 'never',
    connect: () => ({ verdict: no(554) }),
    message: () => ({ verdict: no(554), reason: 'never' }),
  },
}));
