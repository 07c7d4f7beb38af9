import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Connection, type Pace, type Protocol, type Session, type SessionEnd } from '../../src/wire/connection.ts';
import { compile, END } from '../../src/wire/machine.ts';
import type { Outcome, Reply } from '../../src/wire/reply.ts';
import { FakeSocket } from '../support/fake-socket.ts';

const say = (text: string, outcome: Outcome = 'ok'): Reply => ({ outcome, bytes: Buffer.from(`${text}\r\n`) });

class TestSession implements Session {
  limits = { lineBytes: 100, answerBytes: 200, writeMs: 50, lingerMs: 50, handshakeMs: 60, lineMs: 60, contentMs: 60 };
  chunkBytes = 0;
  ceilingBytes = 1000;
  taken = '';
  pace: Pace = 0;
  crashes: unknown[][] = [];
  end: SessionEnd | undefined;
  slow: Promise<void> | undefined;
  /** Views of a body that were made, and whether it was brought to an end. */
  views = 0;
  isBodyOver = false;

  /** A body of so many views of 16 KiB; fails at its end if it is told to. */
  async *body(count: number, fails: boolean): AsyncGenerator<Buffer> {
    try {
      for (; this.views < count; this.views++) {
        await turn();
        yield Buffer.alloc(16 * 1024, 'x');
      }
      if (fails) throw new Error('broken in the middle');
      yield Buffer.from('.\r\n');
    } finally {
      this.isBodyOver = true;
    }
  }

  take(view: Buffer): void | Promise<void> {
    this.taken += view.toString('latin1');
    return this.slow;
  }

  settle(): Pace {
    return this.pace;
  }

  secured(): void {}

  crashed(...facts: unknown[]): void {
    this.crashes.push(facts);
  }

  closed(end: SessionEnd): void {
    this.end = end;
  }
}

type State = 'ready' | 'content' | 'open';
const EVERY: readonly State[] = ['ready', 'content', 'open'];

const protocol: Protocol<State, TestSession> = {
  name: 'test',
  start: 'ready',
  states: {
    ready: { read: 'line', deadline: 'lineMs' },
    content: { read: 'content', deadline: 'contentMs', open: true },
    open: { read: 'line', deadline: 'lineMs', open: true },
  },
  rows: [
    { in: ['ready'], on: 'connect', run: () => say('hello') },
    { in: ['ready', 'open'], on: 'ECHO', run: (_, arg) => say(arg) },
    { in: ['ready'], on: 'LATER', run: (_, arg) => wait(5).then(() => say(arg)) },
    { in: ['ready'], on: 'OPEN', run: () => say('opened'), ok: 'open' },
    { in: ['open'], on: 'CLOSE', run: () => say('closed'), ok: 'ready' },
    { in: ['ready'], on: 'DATA', run: () => say('go', 'more'), more: 'content' },
    { in: ['content'], on: 'end', run: (session, found) => say(`got ${session.taken.length} ${found}`), ok: 'ready' },
    { in: ['content'], on: 'endless', run: () => say('endless', 'bye') },
    { in: ['ready'], on: 'SKIP', run: (_, arg) => ({ ...say('skipped', 'fail'), discard: Number(arg) }) },
    {
      in: ['ready'],
      on: 'THROW',
      run: () => {
        throw new Error('broken');
      },
    },
    { in: ['ready'], on: 'REJECT', run: () => Promise.reject(new Error('broken later')) },
    {
      in: ['ready'],
      on: 'BODY',
      run: (session, count) => ({ ...say('body'), body: session.body(Number(count), false) }),
    },
    {
      in: ['ready'],
      on: 'HALF',
      run: (session, count) => ({ ...say('body'), body: session.body(Number(count), true) }),
    },
    { in: ['ready'], on: 'BIG', run: () => say('x'.repeat(70_000)) },
    { in: ['ready', 'open'], on: 'QUIT', run: () => say('bye'), ok: END },
    { in: ['ready', 'open'], on: 'unknown', run: (_, line) => say(`unknown ${line}`, 'fail') },
    { in: ['ready', 'open'], on: 'misplaced', run: (_, line) => say(`misplaced ${line}`, 'fail') },
    { in: ['ready', 'open'], on: 'badLine', run: (_, trouble) => say(`bad ${trouble}`, 'fail') },
    { in: ['ready'], on: 'tooManyFails', run: () => say('enough', 'bye') },
    { in: EVERY, on: 'crash', run: () => say('crashed', 'fail'), fail: 'ready' },
    { in: EVERY, on: 'timeout', run: () => say('timeout', 'bye') },
    { in: EVERY, on: 'shutdown', run: () => say('shutdown', 'bye') },
  ],
};
const machine = compile(protocol);

function open(limits: Partial<TestSession['limits']> = {}): {
  socket: FakeSocket;
  session: TestSession;
  connection: Connection<State, TestSession>;
  said: () => string;
} {
  const socket = new FakeSocket();
  const session = new TestSession();
  session.limits = { ...session.limits, ...limits };
  const connection = new Connection(socket.asSocket, machine, session);
  connection.start();
  return { socket, session, connection, said: () => Buffer.concat(socket.written).toString('latin1') };
}

async function until(test: () => boolean): Promise<void> {
  for (let ms = 0; !test(); ms++) {
    if (ms > 5_000) throw new Error('waited 5 s in vain');
    await wait(1);
  }
}

describe('a connection', () => {
  it('answers pipelined commands in order, in one write', async () => {
    const { socket, said } = open();
    await turn();
    socket.send(Buffer.from('ECHO 1\r\nECHO 2\r\nECHO 3\r\n'));
    await turn();
    expect(said()).toBe('hello\r\n1\r\n2\r\n3\r\n');
    expect(socket.written).toHaveLength(2);
  });

  it('says what it has before it waits for a handler, and goes on in order', async () => {
    const { socket, said } = open();
    await turn();
    socket.send(Buffer.from('ECHO 1\r\nLATER 2\r\nECHO 3\r\n'));
    await turn();
    expect(said()).toBe('hello\r\n1\r\n');
    await until(() => said().endsWith('2\r\n3\r\n'));
  });

  it('writes the body of a reply to its end before the next command runs', async () => {
    const { socket, said } = open();
    socket.send(Buffer.from('BODY 2\r\nECHO next\r\n'));
    await until(() => said().endsWith('next\r\n'));
    expect(said()).toBe(`hello\r\nbody\r\n${'x'.repeat(32 * 1024)}.\r\nnext\r\n`);
  });

  it('reads a body no faster than the client takes it', async () => {
    const { socket, session, said } = open({ writeMs: 60_000, lineMs: 60_000 });
    await turn();
    socket.reading = false;
    socket.send(Buffer.from('BODY 100\r\nECHO next\r\n'));
    await until(() => session.views > 2);
    for (let turns = 0; turns < 200; turns++) await turn();
    expect(session.views).toBeLessThan(10);
    socket.readOn();
    await until(() => said().endsWith('.\r\nnext\r\n'));
    expect(said()).toHaveLength('hello\r\nbody\r\n.\r\nnext\r\n'.length + 100 * 16 * 1024);
  });

  it('cuts a client that leaves a body unread, and lets go of it', async () => {
    const { socket, session } = open({ writeMs: 30 });
    await turn();
    socket.reading = false;
    socket.send(Buffer.from('BODY 1000\r\n'));
    await until(() => session.isBodyOver);
    expect(session.end).toMatchObject({ reason: 'unread' });
  });

  it('lets go of a body when the client is gone', async () => {
    const { socket, session } = open({ writeMs: 60_000 });
    await turn();
    socket.reading = false;
    socket.send(Buffer.from('BODY 1000\r\n'));
    await until(() => session.views > 2);
    socket.destroy();
    await until(() => session.isBodyOver);
    expect(session.end).toMatchObject({ reason: 'closed' });
  });

  it('cuts the connection when a body breaks off, since nothing more can be said', async () => {
    const { socket, session, said } = open();
    socket.send(Buffer.from('HALF 1\r\nECHO next\r\n'));
    await until(() => session.end !== undefined);
    expect(session.end).toMatchObject({ reason: 'error' });
    expect(session.crashes.map(([state, event]) => [state, event])).toEqual([['ready', 'body']]);
    expect(said()).not.toContain('next');
  });

  it('runs a command whose name is a signal as what it is: unknown', async () => {
    const { socket, said } = open();
    socket.send(Buffer.from('connect\r\ntimeout\r\ncrash x\r\nCLOSE\r\n'));
    await turn();
    expect(said()).toBe('hello\r\nunknown connect\r\nunknown timeout\r\nunknown crash x\r\nmisplaced CLOSE\r\n');
  });

  it('brings content to the session and its end to the table', async () => {
    const { socket, session, said } = open();
    socket.send(Buffer.from('DATA\r\nab\r\n..\r\n.\r\nECHO after\r\n'));
    await turn();
    expect(session.taken).toBe('ab\r\n.\r\n');
    expect(said()).toBe('hello\r\ngo\r\ngot 7 \r\nafter\r\n');
  });

  it('reads nothing more while the session takes its time', async () => {
    const { socket, session, said } = open();
    let release = (): void => {};
    session.slow = new Promise((resolve) => {
      release = resolve;
    });
    socket.send(Buffer.from('DATA\r\nab\r\n'));
    socket.send(Buffer.from('cd\r\n.\r\n'));
    await turn();
    expect(session.taken).toBe('ab\r\n');
    session.slow = undefined;
    release();
    await until(() => said().includes('got'));
    expect(session.taken).toBe('ab\r\ncd\r\n');
  });

  it('ends on content beyond every bound', async () => {
    const { socket, said } = open();
    socket.send(Buffer.from(`DATA\r\n${'x'.repeat(1001)}`));
    await until(() => socket.writableFinished);
    expect(said()).toContain('endless');
  });

  it('reads the payload of a refused command away, however it is cut', async () => {
    const { socket, said } = open({ lineMs: 60_000 });
    for (const octet of Buffer.from('SKIP 15\r\nQUIT\r\nECHO no\r\nECHO yes\r\n')) {
      socket.send(Buffer.of(octet));
      await turn();
    }
    expect(said()).toBe('hello\r\nskipped\r\nyes\r\n');
  });

  it('answers a crash and lives, and tells state, event and cause', async () => {
    const { socket, session, said } = open();
    socket.send(Buffer.from('THROW\r\nREJECT\r\nECHO alive\r\n'));
    await until(() => said().includes('alive'));
    expect(said()).toBe('hello\r\ncrashed\r\ncrashed\r\nalive\r\n');
    expect(session.crashes).toEqual([
      ['ready', 'THROW', new Error('broken')],
      ['ready', 'REJECT', new Error('broken later')],
    ]);
  });

  it('holds a reply back as the session says', async () => {
    const { socket, session, said } = open();
    session.pace = 20;
    socket.send(Buffer.from('ECHO 1\r\nECHO 2\r\n'));
    await turn();
    expect(said()).not.toContain('1');
    await until(() => said().endsWith('1\r\n2\r\n'));
  });

  it('puts the signal tooManyFails in place of the reply when the session cuts', async () => {
    const { socket, session, said } = open();
    await turn();
    session.pace = 'cut';
    socket.send(Buffer.from('ECHO 1\r\nECHO 2\r\n'));
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nenough\r\n');
    expect(session.end?.reason).toBe('failures');
  });

  it('lets other connections have their turn after a hundred commands', async () => {
    const { socket, said } = open();
    await turn();
    socket.send(Buffer.from('ECHO x\r\n'.repeat(250)));
    expect(said().split('x').length - 1).toBeLessThanOrEqual(100);
    await until(() => said().split('x').length - 1 === 250);
  });

  it('stops reading a client that does not read, goes on when it does', async () => {
    const { socket, session, said } = open();
    await turn();
    socket.reading = false;
    socket.send(Buffer.from('BIG\r\n'));
    await turn();
    socket.send(Buffer.from('ECHO next\r\n'));
    await turn();
    expect(socket.isPaused()).toBe(true);
    expect(said().includes('next')).toBe(false);
    socket.readOn();
    await until(() => said().includes('next'));
    expect(session.end).toBeUndefined();
  });

  it('cuts a client that never reads', async () => {
    const { socket, session } = open();
    await turn();
    socket.reading = false;
    socket.send(Buffer.from('BIG\r\n'));
    await until(() => session.end !== undefined);
    expect(session.end?.reason).toBe('unread');
    expect(socket.destroyed).toBe(true);
  });

  it('pauses the socket of a client that sends on while a handler is at work', async () => {
    const { socket, said } = open({ lineMs: 60_000 });
    await turn();
    socket.send(Buffer.from('LATER 1\r\n'));
    socket.send(Buffer.from('ECHO x\r\n'.repeat(9_000)));
    await turn();
    expect(socket.isPaused()).toBe(true);
    await until(() => said().split('x').length - 1 === 9_000);
  });

  it('bounds the wait for a whole command, not for the next octet', async () => {
    const { socket, session, said } = open();
    const drip = setInterval(() => socket.destroyed || socket.send(Buffer.from('E')), 10);
    await until(() => session.end !== undefined);
    clearInterval(drip);
    expect(said()).toBe('hello\r\ntimeout\r\n');
    expect(session.end?.reason).toBe('timeout');
  });

  it('gives each command its own time', async () => {
    const { socket, session, said } = open({ lineMs: 1000 });
    for (let round = 0; round < 6; round++) {
      await wait(200);
      socket.send(Buffer.from('ECHO x\r\n'));
    }
    await turn();
    expect(session.end).toBeUndefined();
    expect(said().split('x').length - 1).toBe(6);
  });

  it('answers all that was sent before the client closed its half', async () => {
    const { socket, session, said } = open();
    socket.send(Buffer.from('LATER 1\r\nECHO 2\r\n'));
    socket.halfClose();
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\n1\r\n2\r\n');
    expect(session.end?.reason).toBe('closed');
  });

  it('hangs up when a command has asked for it, and does not wait for the client to do so', async () => {
    const { socket, session, said } = open({ lingerMs: 600_000 });
    socket.send(Buffer.from('QUIT\r\n'));
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nbye\r\n');
    expect(session.end?.reason).toBe('quit');
  });

  it('waits for a client that sends on behind its last command, so that no reset overtakes the reply', async () => {
    const { socket, session, said } = open({ lingerMs: 600_000 });
    socket.send(Buffer.from('QUIT\r\nECHO no\r\n'));
    await until(() => socket.writableFinished);
    for (let turns = 0; turns < 5; turns++) await turn();
    expect(session.end).toBeUndefined();
    socket.halfClose();
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nbye\r\n');
  });

  it('runs nothing behind its last word', async () => {
    const { socket, session, said } = open();
    socket.send(Buffer.from('QUIT\r\nECHO no\r\n'));
    await turn();
    socket.send(Buffer.from('ECHO no\r\n'));
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nbye\r\n');
    expect(session.end?.reason).toBe('quit');
  });

  it('says goodbye to an idle client on a stop', async () => {
    const { session, connection, said } = open();
    connection.stop();
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nshutdown\r\n');
    expect(session.end?.reason).toBe('shutdown');
  });

  it('lets an open transaction finish before it stops', async () => {
    const { socket, session, connection, said } = open();
    socket.send(Buffer.from('OPEN\r\n'));
    await turn();
    connection.stop();
    await turn();
    expect(said()).toBe('hello\r\nopened\r\n');
    socket.send(Buffer.from('CLOSE\r\nECHO no\r\n'));
    await until(() => session.end !== undefined);
    expect(said()).toBe('hello\r\nopened\r\nclosed\r\nshutdown\r\n');
  });

  it('ends the session once when the client vanishes in the middle of a handler', async () => {
    const { socket, session } = open();
    socket.send(Buffer.from('LATER 1\r\n'));
    await turn();
    socket.destroy();
    await until(() => session.end !== undefined);
    await wait(10);
    expect(session.end?.reason).toBe('closed');
  });
});
