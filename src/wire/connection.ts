import { ChunkReader } from './chunk-reader.ts';
import { DotReader } from './dot-reader.ts';
import { type BadFrame, type Frame, FrameReader } from './frame-reader.ts';
import { Input } from './input.ts';
import { type BadLine, LineReader } from './line-reader.ts';
import { END, type Machine, nextState, type Row, type Signal, type Table } from './machine.ts';
import type { Peer } from './peer.ts';
import type { Reply } from './reply.ts';
import { splitVerb, upperCase } from './split-verb.ts';
import { describeHandshake, type Handshake, type TlsUpgrade } from './tls-upgrade.ts';

/**
 * The pump between a socket and a machine: read -> step -> settle -> one write per turn.
 *
 * It knows states, readers, deadlines and back-pressure, and nothing of mail. The state owns its reader: what arrives
 * in a `line` or `frame` state is commands, in a `content` or `chunk` state octets for the session, and in a `handshake`
 * state the beginning of TLS. Replies gather until the input runs out or a handler has to wait, and then leave in one write
 * (RFC 2920 §3.2).
 */

/** What a state carries for the pump. */
export interface StateSpec {
  /** `answer`: lines that are no commands, but what the client was asked for. `frame`: commands in frames of counted octets. */
  readonly read: 'line' | 'frame' | 'answer' | 'content' | 'chunk' | 'handshake';
  /** Name of the limit (milliseconds) that bounds the wait for the next event: a whole command, a whole message. */
  readonly deadline: string;
  /** A transaction is open: a graceful stop lets it finish. */
  readonly open?: boolean;
}

export interface Protocol<S extends string, X extends Session> extends Table<S, X, string, Reply> {
  readonly states: Readonly<Record<S, StateSpec>>;
  /** Verbs whose first word of argument belongs to the event, as in `AUTH PLAIN`, where a row knows it. */
  readonly twoWords?: ReadonlySet<string>;
  /** LF alone ends a line too. */
  readonly anyLineEnd?: boolean;
}

/** Limits of the pump, with those that the protocol's states name as deadlines. */
export interface WireLimits {
  /** Octets of the longest command line, CR LF included, or of the longest header of a frame. */
  readonly lineBytes: number;
  /** Octets of the longest line in an `answer` state, CR LF included. */
  readonly answerBytes: number;
  /** How long a client may leave our replies unread, and how long we wait for it to hang up after our last word. */
  readonly writeMs: number;
  readonly lingerMs: number;
  /** How long a client may take for the handshake of TLS. */
  readonly handshakeMs: number;
  readonly [deadline: string]: number;
}

/** How a reply is paced: at once, held back for some milliseconds, or replaced by the signal `tooManyFails`. */
export type Pace = number | 'cut';

/** What the pump needs of a session, whatever the protocol. */
export interface Session {
  readonly limits: WireLimits;
  /** Octets that the `chunk` state about to be entered will read. */
  readonly chunkBytes: number;
  /** Content octets beyond which the signal `endless` is raised; octets of the longest payload of a frame. */
  readonly ceilingBytes: number;
  /**
   * Takes content, or the payload of the frame that is run next; the view is good until the call returns. A promise
   * pauses reading. Never throws.
   */
  take(view: Buffer): void | Promise<void>;
  /** Is told of every event and its reply, before that is sent. `line` is the command as received. */
  settle(event: string, line: string, reply: Reply): Pace;
  /** A reply that was held back goes out now. */
  rested?(): void;
  /** The connection is encrypted from here on; nothing said before may count. `secured` or `connect` follows. */
  secured(handshake: Handshake): void;
  /** Input came while a handler was at work. */
  interrupted?(): void;
  /** No more input will come, while a handler is at work. */
  hungUp?(): void;
  /** When the wait for commands ends for good, as `performance.now()` counts; never if absent. */
  readonly endsAt?: number;
  /** A handler threw; the reply comes from the row for `crash`. */
  crashed(state: string, event: string, error: unknown): void;
  /** The connection is gone; nothing of this session will be called again. */
  closed(end: SessionEnd): void;
}

export type EndReason =
  | 'quit'
  | 'closed'
  | 'timeout'
  | 'shutdown'
  | 'failures'
  | 'unread'
  | 'refused'
  | 'handshake'
  | 'error';

export interface SessionEnd {
  readonly reason: EndReason;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What went wrong with the encryption, if something did: a code of OpenSSL's or of the system. */
  readonly trouble?: string;
}

/** How the connections of a listener are encrypted. */
export interface TlsAccess {
  readonly upgrade: TlsUpgrade;
  /** Before the first word (RFC 8314 §3), not only when the client asks. */
  readonly implicit: boolean;
}

/** Pending output beyond which input is not read on. */
const OUTPUT_HIGH_WATER_BYTES = 64 * 1024;
/** Unread input beyond which the socket is paused while a handler is at work. */
const INPUT_HIGH_WATER_BYTES = 64 * 1024;
/** Commands run before other connections get their turn. */
const COMMANDS_PER_TURN = 100;
/** Octets of input thrown away after our last word; whoever sends more waits until the connection is cut. */
const LINGER_BYTES = 4 * 1024 * 1024;

const WHY_ENDED: Partial<Record<Signal, EndReason>> = {
  timeout: 'timeout',
  shutdown: 'shutdown',
  tooManyFails: 'failures',
  crash: 'error',
};

/**
 * Writes wait until every connection that has something to read was read, and then leave together: the peers wake to
 * more work at once, and none of them takes our processor in the middle of a turn. With many sessions this measures
 * better than a write after each command, and a single one loses nothing.
 */
let writes: (() => void)[] = [];

function writeLater(write: () => void): void {
  if (writes.push(write) > 1) return;
  setImmediate(() => {
    const due = writes;
    writes = [];
    for (const one of due) one();
  });
}

export class Connection<S extends string, X extends Session> {
  /** The TLS socket once there is one. */
  #socket: Peer;
  readonly #machine: Machine<S, X, string, Reply>;
  readonly #session: X;
  readonly #states: Readonly<Record<S, StateSpec>>;
  readonly #twoWords: ReadonlySet<string> | undefined;
  readonly #tls: TlsAccess | undefined;
  readonly #input = new Input();
  #lines: LineReader;
  #frames: FrameReader | undefined;
  #content: DotReader | undefined;
  #chunk: ChunkReader | undefined;
  #contentBytes = 0;
  /** Octets of a refused event still to be read away. */
  #discard = 0;

  #state: S;
  /** A handler, a pace or the session's `take` is being waited for. */
  #waiting = false;
  /** The client does not read: nothing runs until the output has drained. */
  #blocked = false;
  #yielded = false;
  /** Clear text is over and encryption has not begun. */
  #shaking = false;
  #isEncrypted = false;
  #trouble: string | undefined;
  #paused = false;
  #inputEnded = false;
  /** Our last word is said. */
  #over = false;
  #gone = false;
  #stopping = false;
  #reason: EndReason = 'closed';

  #out: Buffer[] = [];
  #isQueued = false;
  #bytesOut = 0;
  #bytesIn = 0;
  #lingered = 0;
  /** Octets that had come when content was last looked at by `hurry`; undefined for content that has just begun. */
  #paceFrom: number | undefined;

  /** An event has happened since the deadline was set. */
  #moved = true;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #deadlineAt = Number.POSITIVE_INFINITY;
  /** A reply that is held back. */
  #holding: { readonly timer: NodeJS.Timeout; readonly end: () => void } | undefined;
  /** Has the body of a reply go on once the client has taken what is written, or is gone. */
  #bodyGoesOn: (() => void) | undefined;

  /** @param tls how this connection is, or can be, encrypted */
  constructor(socket: Peer, machine: Machine<S, X, string, Reply>, session: X, tls?: TlsAccess) {
    this.#socket = socket;
    this.#machine = machine;
    this.#session = session;
    this.#states = machine.table.states as Readonly<Record<S, StateSpec>>;
    this.#twoWords = (machine.table as Protocol<S, X>).twoWords;
    this.#state = machine.table.start;
    this.#tls = tls;
    this.#lines = new LineReader((machine.table as Protocol<S, X>).anyLineEnd);
    if (!tls?.implicit) this.#listen(socket);
    socket.on('error', () => {
      // the peer reset or vanished; 'close' follows and ends the session
    });
    socket.on('close', () => this.#close());
  }

  #listen(socket: Peer): void {
    socket.on('data', this.#receive);
    socket.on('end', this.#ended);
    socket.on('drain', this.#drained);
  }

  get state(): S {
    return this.#state;
  }

  /** Says the first word. */
  start(): void {
    if (this.#tls?.implicit) this.#shakeHands(this.#tls.upgrade, () => this.#greet());
    else this.#greet();
  }

  #greet(): void {
    this.#runSignal('connect');
    if (!this.#waiting) this.#pump();
  }

  /** Ends the session as soon as no transaction is open; what is in flight may finish. */
  stop(): void {
    this.#stopping = true;
    if (this.#shaking) {
      this.destroy('shutdown');
      return;
    }
    if (!this.#waiting && !this.#over && !this.#blocked) this.#pump();
  }

  /** Ends the session now, in the middle of whatever it does. */
  destroy(reason: EndReason): void {
    if (!this.#over) this.#reason = reason;
    this.#over = true;
    this.#socket.destroy();
  }

  readonly #ended = (): void => {
    this.#inputEnded = true;
    if (this.#shaking) this.destroy('closed');
    if (this.#over) return;
    if (this.#waiting) this.#stopHolding();
    this.#pump();
  };

  readonly #receive = (view: Buffer): void => {
    this.#bytesIn += view.length;
    if (this.#shaking) return; // clear text that came too late
    if (this.#over) {
      this.#lingered += view.length;
      if (this.#lingered > LINGER_BYTES) this.#pause(); // cutting it now would take our last word from who has not read it
      return;
    }
    this.#input.push(view);
    if (this.#waiting || this.#blocked || this.#yielded) {
      if (this.#waiting) this.#session.interrupted?.();
      this.#input.keep();
      if (this.#input.length >= INPUT_HIGH_WATER_BYTES) this.#pause();
      return;
    }
    this.#pump();
    this.#input.keep();
  };

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #pump(): void {
    let budget = COMMANDS_PER_TURN;
    while (!this.#waiting && !this.#over && !this.#blocked) {
      if (this.#stopping && !this.#states[this.#state].open) {
        this.#runSignal('shutdown');
        continue;
      }
      if (this.#discard > 0) {
        if (!this.#readAway()) break;
        continue;
      }
      const spec = this.#states[this.#state];
      if (spec.read === 'line') {
        if (budget-- === 0) {
          this.#yield();
          break;
        }
        const line = this.#lines.next(this.#input, this.#session.limits.lineBytes);
        if (line === undefined) break;
        this.#runLine(line);
      } else if (spec.read === 'frame') {
        if (budget-- === 0) {
          this.#yield();
          break;
        }
        if (!this.#readFrame()) break;
      } else if (spec.read === 'answer') {
        const line = this.#lines.next(this.#input, this.#session.limits.answerBytes);
        if (line === undefined) break;
        if (typeof line === 'string') this.#run('answer', line, line);
        else this.#runSignal('badLine', line.trouble);
      } else if (spec.read === 'handshake') {
        this.#leaveClearText();
        break;
      } else if (!this.#readContent(spec.read)) {
        break;
      }
    }
    this.#flush();
    if (this.#over || this.#waiting) return;
    if (this.#moved) {
      this.#moved = false;
      this.#setDeadline(this.#patience());
    }
    if (this.#yielded || this.#blocked) return;
    if (this.#inputEnded) this.#finish('closed');
    else this.#resume();
  }

  /**
   * The client has been told to begin with TLS. Whatever it sent before it could know that, whole lines or the start of
   * one, is dropped (RFC 3207 §4.2); the handshake waits until our word is out.
   */
  #leaveClearText(): void {
    if (this.#shaking || !this.#tls) return;
    const { upgrade } = this.#tls;
    this.#shaking = true;
    this.#input.clear();
    this.#lines = new LineReader((this.#machine.table as Protocol<S, X>).anyLineEnd);
    this.#frames = undefined;
    const bytes = Buffer.concat(this.#out);
    this.#out = [];
    this.#bytesOut += bytes.length;
    this.#socket.write(bytes, () => {
      if (this.#over || this.#gone) return;
      this.#shakeHands(upgrade, () => {
        this.#runSignal('secured');
        this.#pump();
      });
    });
  }

  #shakeHands(upgrade: TlsUpgrade, then: () => void): void {
    this.#shaking = true;
    this.#setDeadline(this.#session.limits.handshakeMs);
    const clear = this.#socket;
    for (const event of ['data', 'end', 'drain'] as const) clear.removeAllListeners(event);
    const secured = upgrade(clear);
    this.#paused = false;
    this.#isEncrypted = true;
    this.#socket = secured;
    secured.on('end', this.#ended);
    secured.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#over) return;
      this.#trouble ??= error.code ?? error.message;
      if (this.#shaking) this.#reason = 'handshake';
    });
    secured.on('close', () => this.#close());
    secured.once('secure', () => {
      if (this.#over || this.#gone) return;
      this.#shaking = false;
      this.#session.secured(describeHandshake(secured));
      secured.on('data', this.#receive).on('drain', this.#drained);
      then();
    });
  }

  /** How long the event that the state waits for may take. */
  #patience(): number {
    const { limits, endsAt } = this.#session;
    const { read, deadline } = this.#states[this.#state];
    const milliseconds = limits[deadline]!;
    if (endsAt === undefined || read !== 'line') return milliseconds;
    return Math.max(0, Math.min(milliseconds, endsAt - performance.now()));
  }

  /**
   * Others want the place of this connection. Told so again and again it holds the client to the limits of the moment:
   * the wait for a command is bounded anew, and content that came slower than it may since the last time is cut.
   * @param bytes octets of content that must have come since the last call
   */
  hurry(bytes: number): void {
    if (this.#waiting || this.#shaking || this.#over || this.#blocked || this.#gone) return;
    const { read } = this.#states[this.#state];
    if (read === 'line') {
      const most = this.#patience();
      if (this.#deadlineAt - performance.now() > most) this.#setDeadline(most);
      return;
    }
    const since = this.#paceFrom;
    this.#paceFrom = this.#bytesIn;
    if (since === undefined || this.#bytesIn - since >= bytes) return;
    this.#runSignal('timeout');
    this.#pump();
  }

  /** A client that says no more has perhaps gone: nothing is kept for the sake of making it wait. */
  #stopHolding(): void {
    this.#session.hungUp?.();
    if (!this.#holding) return;
    clearTimeout(this.#holding.timer);
    this.#holding.end();
  }

  /** Lets other connections have their turn. */
  #yield(): void {
    this.#yielded = true;
    setImmediate(() => {
      this.#yielded = false;
      if (!this.#gone) this.#pump();
    });
  }

  #readAway(): boolean {
    const head = this.#input.head;
    if (!head) return false;
    const count = Math.min(head.length, this.#discard);
    this.#discard -= count;
    this.#input.consume(count);
    return true;
  }

  /** Brings content to the session; false when more bytes are needed. */
  #readContent(kind: 'content' | 'chunk'): boolean {
    const reader =
      kind === 'content'
        ? (this.#content ??= new DotReader())
        : (this.#chunk ??= new ChunkReader(this.#session.chunkBytes));
    const view = reader.next(this.#input);
    if (view === undefined && !reader.ended) return false;
    if (view !== undefined && view.length > 0) {
      this.#contentBytes += view.length;
      const taken = this.#session.take(view);
      if (taken) {
        this.#waitFor(taken, () => this.#contentTaken());
        return true;
      }
    }
    this.#contentTaken();
    return true;
  }

  #contentTaken(): void {
    // before the end is looked at: how the content was cut must not decide
    if (this.#contentBytes > this.#session.ceilingBytes) {
      this.#runSignal('endless');
      return;
    }
    const ended = this.#content?.ended ?? this.#chunk?.ended ?? false;
    if (!ended) return;
    const cargo = this.#content?.bareNewlines ? 'bareNewlines' : '';
    this.#content = undefined;
    this.#chunk = undefined;
    this.#contentBytes = 0;
    this.#paceFrom = undefined;
    this.#runSignal('end', cargo);
  }

  /** Runs the next frame; false when more bytes are needed. */
  #readFrame(): boolean {
    const { limits, ceilingBytes: payloadBytes } = this.#session;
    const reader = (this.#frames ??= new FrameReader());
    const frame = reader.next(this.#input, { headerBytes: limits.lineBytes, payloadBytes });
    if (frame === undefined) return false;
    this.#runFrame(frame);
    return true;
  }

  #runFrame(frame: Frame | BadFrame): void {
    if ('trouble' in frame) {
      this.#runSignal('badFrame', frame.trouble);
      return;
    }
    const { type, args, payload } = frame;
    const run = (): void =>
      this.#runCommand(upperCase(type), args.join(' '), [type, payload.length, ...args].join(' '));
    const taken = payload.length > 0 ? this.#session.take(payload) : undefined;
    if (taken) this.#waitFor(taken, run);
    else run();
  }

  #runLine(line: string | BadLine): void {
    if (typeof line !== 'string') {
      this.#runSignal('badLine', line.trouble);
      return;
    }
    const { verb, arg } = splitVerb(line);
    if (this.#twoWords?.has(verb)) {
      const { verb: second, arg: rest } = splitVerb(arg);
      const both = `${verb} ${second}`;
      const row = this.#machine.find(this.#state, both);
      if (row) {
        this.#runRow(row, both, rest, line);
        return;
      }
    }
    this.#runCommand(verb, arg, line);
  }

  #runCommand(verb: string, arg: string, line: string): void {
    const row = this.#machine.find(this.#state, verb);
    if (row) this.#runRow(row, verb, arg, line);
    else this.#run(this.#machine.knows(verb) ? 'misplaced' : 'unknown', line, line);
  }

  #runSignal(signal: Signal, cargo = ''): void {
    this.#run(signal, cargo, '');
  }

  /** Runs the row for an event. A signal without a row ends the connection without a word. */
  #run(event: string, cargo: string, line: string): void {
    const row = this.#machine.find(this.#state, event);
    if (!row) {
      this.#finish(WHY_ENDED[event as Signal] ?? 'refused');
      return;
    }
    this.#runRow(row, event, cargo, line);
  }

  #runRow(row: Row<S, X, string, Reply>, event: string, cargo: string, line: string): void {
    let reply: Reply | Promise<Reply>;
    try {
      reply = row.run(this.#session, cargo);
    } catch (error) {
      this.#crash(event, line, error);
      return;
    }
    if (!(reply instanceof Promise)) {
      this.#settle(event, line, reply, nextState(this.#state, row, reply.outcome));
      return;
    }
    const state = this.#state;
    this.#waitFor(
      reply.then(
        (settled) => () => this.#settle(event, line, settled, nextState(state, row, settled.outcome)),
        (error: unknown) => () => this.#crash(event, line, error),
      ),
      (go) => go(),
    );
  }

  #crash(event: string, line: string, error: unknown): void {
    this.#session.crashed(this.#state, event, error);
    if (event === 'crash') {
      this.#finish('error');
      return;
    }
    this.#run('crash', line, line);
  }

  #settle(event: string, line: string, reply: Reply, next: S | typeof END): void {
    const pace = this.#session.settle(event, line, reply);
    if (pace === 'cut' && event !== 'tooManyFails') {
      this.#runSignal('tooManyFails');
      return;
    }
    if (pace === 'cut' || pace === 0) {
      this.#conclude(event, reply, next);
      return;
    }
    const held = new Promise<void>((resolve) => {
      this.#holding = { timer: setTimeout(resolve, pace), end: resolve };
    });
    this.#waitFor(held, () => {
      this.#holding = undefined;
      this.#session.rested?.();
      this.#conclude(event, reply, next);
    });
  }

  #conclude(event: string, reply: Reply, next: S | typeof END): void {
    this.#moved = true;
    if (reply.bytes.length > 0) this.#out.push(reply.bytes);
    if (reply.discard !== undefined) this.#discard = reply.discard;
    if (next === END) {
      this.#finish(WHY_ENDED[event as Signal] ?? (reply.outcome === 'ok' ? 'quit' : 'refused'));
      return;
    }
    this.#state = next;
    if (reply.body !== undefined) this.#sendBody(reply.body);
    if (reply.answer !== undefined) this.#run('answer', reply.answer, '');
  }

  #sendBody(body: AsyncIterable<Buffer>): void {
    this.#waitFor(this.#writeBody(body), (isWhole) => {
      if (!isWhole) this.destroy('error');
    });
  }

  /** Writes a body as the client takes it; false if it could not be had to its end. */
  async #writeBody(body: AsyncIterable<Buffer>): Promise<boolean> {
    try {
      for await (const view of body) {
        if (this.#gone || this.#over) return false;
        this.#out.push(view);
        this.#write();
        if (!this.#blocked) continue;
        await new Promise<void>((resolve) => {
          this.#bodyGoesOn = resolve;
        });
        this.#bodyGoesOn = undefined;
        if (this.#gone || this.#over) return false;
      }
      return true;
    } catch (error) {
      this.#session.crashed(this.#state, 'body', error);
      return false;
    }
  }

  /** Stops the pump until the promise settles; it must not reject. */
  #waitFor<T>(promise: Promise<T>, then: (value: T) => void): void {
    this.#waiting = true;
    // the client's time stands still while it waits for us
    const left = this.#deadlineAt - performance.now();
    this.#deadlineAt = Number.POSITIVE_INFINITY;
    void promise.then((value) => {
      this.#waiting = false;
      if (this.#gone || this.#over) return;
      this.#setDeadline(Math.max(0, left));
      then(value);
      if (!this.#waiting && !this.#blocked) this.#pump();
    });
  }

  /** Has what is gathered written at the end of this turn of the event loop, after every other connection has been read. */
  #flush(): void {
    if (this.#out.length === 0 || this.#isQueued) return;
    this.#isQueued = true;
    writeLater(this.#write);
  }

  readonly #write = (): void => {
    this.#isQueued = false;
    if (this.#out.length === 0 || this.#gone) return;
    const bytes = this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out);
    this.#out = [];
    this.#bytesOut += bytes.length;
    this.#socket.write(bytes);
    if (!this.#over && this.#socket.writableLength > OUTPUT_HIGH_WATER_BYTES) {
      this.#blocked = true;
      this.#pause();
      this.#setDeadline(this.#session.limits.writeMs);
    }
  };

  readonly #drained = (): void => {
    if (!this.#blocked) return;
    this.#blocked = false;
    if (this.#bodyGoesOn) {
      this.#deadlineAt = Number.POSITIVE_INFINITY; // it waits for us again
      this.#bodyGoesOn();
    }
    if (!this.#waiting && !this.#gone) this.#pump();
  };

  /** Says the last word and hangs up; what the client still sends is read away, so that no reset overtakes our reply. */
  #finish(reason: EndReason): void {
    if (this.#over) return;
    if (this.#shaking) {
      this.destroy(reason); // no word of ours would be understood
      return;
    }
    this.#over = true;
    this.#reason = reason;
    this.#write();
    const isAgreed = reason === 'quit' && this.#states[this.#state].read === 'line' && this.#input.length === 0;
    this.#input.clear();
    this.#content = undefined;
    this.#chunk = undefined;
    if (isAgreed && !this.#isEncrypted) {
      this.#socket.destroySoon(); // a command has asked for the end and nothing followed it: there is nothing to wait for
    } else {
      if (this.#paused) this.#resume();
      this.#socket.end();
    }
    this.#setDeadline(this.#session.limits.lingerMs);
  }

  /**
   * One timer serves every deadline of the connection: it is armed anew only when a deadline comes before the one it
   * waits for, and when it fires early it waits for the rest.
   */
  #setDeadline(milliseconds: number): void {
    const at = performance.now() + milliseconds;
    this.#deadlineAt = at;
    if (at === Number.POSITIVE_INFINITY || (this.#timer && this.#timerAt <= at)) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#deadlineCheck(), milliseconds);
  }

  #deadlineCheck(): void {
    this.#timer = undefined;
    const left = this.#deadlineAt - performance.now();
    if (left > 0) this.#setDeadline(left);
    else if (this.#over) this.#socket.destroy();
    else if (this.#shaking) this.destroy('timeout');
    else if (this.#blocked) this.destroy('unread');
    else {
      this.#runSignal('timeout');
      this.#pump();
    }
  }

  #close(): void {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#holding?.timer);
    this.#input.clear();
    this.#out = [];
    this.#bodyGoesOn?.();
    if (this.#tls) this.#socket.destroy(); // of the two sockets of an encrypted connection the other one
    const trouble = this.#trouble;
    this.#session.closed({
      reason: this.#reason,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      ...(trouble !== undefined && { trouble }),
    });
  }
}
