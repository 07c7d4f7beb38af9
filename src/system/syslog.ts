import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { accessSync, constants } from 'node:fs';
import { connect, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { LineWriter } from '../report/line-writer.ts';
import { SystemError } from './errors.ts';

/** Where messages for syslog go. */
export type SyslogTarget =
  | 'local'
  | { readonly transport: 'udp' | 'tcp'; readonly host: string; readonly port: number };

export interface SyslogOptions {
  readonly target: SyslogTarget;
  /** APP-NAME of RFC 5424 §6.2.5. */
  readonly prefix: string;
  /** Told the number of messages lost, once some get through again. */
  readonly onLost?: (messages: number) => void;
}

/** Facility "mail system" (RFC 5424 §6.2.1). */
const MAIL = 2;
const SEVERITY: Readonly<Record<string, number>> = { fatal: 2, error: 3, warn: 4, info: 6, debug: 7, trace: 7 };
/** What a message has at most; receivers must take 480 octets and are to take 2048 (RFC 5424 §6.1). */
const MESSAGE_BYTES = 8192;
/** What may wait for a receiver that is slow or away. */
const WAITING_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 1000;

/**
 * Sends log lines to syslog (RFC 5424).
 *
 * The local syslog, /dev/log, is a datagram socket of the UNIX kind, which Node.js does not have: there one `logger` (of
 * util-linux) is kept running and gets a line per message. UDP (RFC 5426) and TCP with octet counts (RFC 6587) are spoken
 * by ourselves.
 * @throws SystemError SYSLOG_UNAVAILABLE without `logger`
 */
export function openSyslog(options: SyslogOptions): LineWriter {
  const { target, prefix, onLost } = options;
  if (target === 'local') {
    requireLogger();
    const pipe = new Pipe(() => startLogger(prefix), onLost);
    return writerTo(pipe, (line) => `<${priorityOf(line)}>${line}\n`);
  }
  const head = (line: string): string =>
    `<${priorityOf(line)}>1 ${new Date().toISOString()} ${hostname()} ${prefix} ${process.pid} - - `;
  if (target.transport === 'udp') return udpWriter(target.host, target.port, (line) => head(line) + line);
  const pipe = new Pipe(() => tcpStream(target.host, target.port), onLost);
  return writerTo(pipe, (line) => {
    const message = cut(Buffer.from(head(line) + line));
    return Buffer.concat([Buffer.from(`${message.length} `), message]);
  });
}

function priorityOf(line: string): number {
  const level = /^\{"level":"([a-z]+)"/.exec(line)?.[1] ?? 'info';
  return MAIL * 8 + (SEVERITY[level] ?? SEVERITY.info!);
}

/** A stream to a receiver that is made anew when it fails; what does not get through is counted, never waited for. */
class Pipe {
  readonly #open: () => Writable;
  readonly #onLost: ((messages: number) => void) | undefined;
  #stream: Writable | undefined;
  #retryAt = 0;
  #lost = 0;

  constructor(open: () => Writable, onLost: ((messages: number) => void) | undefined) {
    this.#open = open;
    this.#onLost = onLost;
  }

  write(message: string | Buffer): void {
    const stream = (this.#stream ??= this.#start());
    if (!stream || stream.writableLength > WAITING_BYTES) {
      this.#lost++;
      return;
    }
    stream.write(message);
    if (this.#lost === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    this.#onLost?.(lost);
  }

  flush(): Promise<void> {
    const stream = this.#stream;
    return stream ? new Promise((resolve) => stream.write('', () => resolve())) : Promise.resolve();
  }

  #start(): Writable | undefined {
    if (Date.now() < this.#retryAt) return undefined;
    const stream = this.#open();
    const end = (): void => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#retryAt = Date.now() + RETRY_MS;
    };
    return stream.once('error', end).once('close', end);
  }
}

function writerTo(pipe: Pipe, form: (line: string) => string | Buffer): LineWriter {
  return {
    write: (text) => {
      for (const line of text.split('\n')) if (line !== '') pipe.write(form(line));
    },
    flush: () => pipe.flush(),
    flushSync: () => {}, // each line was given to the system when it was written
  };
}

function udpWriter(host: string, port: number, form: (line: string) => string): LineWriter {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').unref();
  socket.on('error', () => {}); // a datagram that nobody takes is lost, as datagrams are
  let sending = 0;
  let idle: (() => void)[] = [];
  const sent = (): void => {
    if (--sending > 0) return;
    for (const done of idle) done();
    idle = [];
  };
  return {
    write(text) {
      for (const line of text.split('\n')) {
        if (line === '') continue;
        sending++;
        socket.send(cut(Buffer.from(form(line))), port, host, sent);
      }
    },
    flush: () => (sending === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    flushSync: () => {},
  };
}

function tcpStream(host: string, port: number): Socket {
  const socket = connect({ host, port }).unref();
  return socket.resume(); // notices when the receiver hangs up
}

function startLogger(prefix: string): Writable {
  const args = ['--rfc5424', '--prio-prefix', `--id=${process.pid}`, '--tag', prefix, '--size', String(MESSAGE_BYTES)];
  const child: ChildProcess = spawn('logger', args, { stdio: ['pipe', 'ignore', 'ignore'] });
  const stdin = child.stdin!;
  child.once('error', (error) => stdin.destroy(error));
  child.once('exit', () => stdin.destroy());
  child.unref();
  return stdin;
}

function requireLogger(): void {
  const folders = (process.env.PATH ?? '/usr/bin:/bin').split(':');
  for (const folder of folders) {
    try {
      accessSync(join(folder, 'logger'), constants.X_OK);
      return;
    } catch {} // not here: the next folder
  }
  throw new SystemError(
    'SYSLOG_UNAVAILABLE',
    'the local syslog wants the program logger (Debian package bsdutils); or give an address: syslog = "udp://127.0.0.1:514"',
  );
}

/** Cuts a message to its bound, between characters. */
function cut(message: Buffer): Buffer {
  if (message.length <= MESSAGE_BYTES) return message;
  let end = MESSAGE_BYTES;
  while (end > 0 && (message[end]! & 0xc0) === 0x80) end--;
  return message.subarray(0, end);
}
