import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Peer } from '../../src/wire/peer.ts';
import { TcpPeer, takeOver } from '../../src/wire/tcp-peer.ts';
import { until } from '../support/until.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server whose connections come as the kind that is asked for. */
async function serve(kind: string, accept: (peer: Peer) => void): Promise<number> {
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  if (kind === 'TcpPeer') expect(takeOver(server, accept)).toBe(true);
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function client(port: number, options: { allowHalfOpen?: boolean } = {}): Socket & { text: string } {
  const socket = Object.assign(connect({ port, host: '127.0.0.1', ...options }), { text: '' });
  socket.on('data', (view: Buffer) => {
    socket.text += view.toString('latin1');
  });
  socket.on('error', () => {
    // the tests look at what the server saw
  });
  closing.push(() => socket.destroy());
  return socket;
}

describe.each(['TcpPeer', 'net.Socket'])('a connection as %s', (kind) => {
  it('knows who is there, brings what is sent and sends what is written', async () => {
    let seen: { address: string | undefined; port: number | undefined; known: boolean } | undefined;
    const port = await serve(kind, (peer) => {
      seen = { address: peer.remoteAddress, port: peer.remotePort, known: peer instanceof TcpPeer };
      peer.on('data', (view) => peer.write(view));
      peer.write(Buffer.from('hello '));
    });
    const socket = client(port);
    socket.write('world');
    await until(() => socket.text === 'hello world');
    expect(seen).toEqual({ address: '127.0.0.1', port: socket.localPort, known: kind === 'TcpPeer' });
  });

  it('carries megabytes exactly, tells what waits, and when it has gone', async () => {
    const sent = Buffer.alloc(8 * 1024 * 1024, 'some bytes of a long line\r\n');
    let waiting = 0;
    let drained = false;
    const port = await serve(kind, (peer) => {
      peer.on('drain', () => {
        drained = true;
        waiting = peer.writableLength;
        peer.end();
      });
      peer.write(sent);
      waiting = peer.writableLength;
    });
    const socket = connect(port, '127.0.0.1');
    closing.push(() => socket.destroy());
    const hash = createHash('sha256');
    socket.pause();
    await until(() => waiting > 1024 * 1024);
    expect(drained).toBe(false);
    for await (const view of socket) hash.update(view as Buffer);
    expect(drained).toBe(true);
    expect(waiting).toBe(0);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  });

  it('reads nothing while it is paused', async () => {
    let bytes = 0;
    let peer: Peer | undefined;
    const port = await serve(kind, (one) => {
      peer = one;
      one.on('data', (view) => {
        bytes += view.length;
        one.pause();
      });
    });
    const socket = client(port);
    const sent = 20 * 1024 * 1024;
    socket.write(Buffer.alloc(sent));
    await until(() => bytes > 0);
    const first = bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bytes).toBe(first);
    peer!.removeAllListeners('data');
    peer!.on('data', (view) => {
      bytes += view.length;
    });
    peer!.resume();
    await until(() => bytes === sent);
  });

  it('can answer after the other end has said its last, and is gone when both have', async () => {
    const events: string[] = [];
    const port = await serve(kind, (peer) => {
      peer.on('data', () => {});
      peer.on('end', () => {
        events.push('end');
        peer.write(Buffer.from('answer'));
        peer.end();
      });
      peer.on('error', () => events.push('error'));
      peer.on('close', () => events.push('close'));
    });
    const socket = client(port, { allowHalfOpen: true });
    socket.end('question');
    await until(() => events.includes('close'));
    await until(() => socket.text === 'answer');
    expect(events).toEqual(['end', 'close']);
  });

  it('brings whole what comes octet by octet, and its end', async () => {
    const sent = Buffer.from('octet by octet\r\n'.repeat(200));
    const parts: Buffer[] = [];
    let ended = false;
    const port = await serve(kind, (peer) => {
      peer.on('data', (view) => parts.push(Buffer.from(view)));
      peer.on('end', () => {
        ended = true;
        peer.end();
      });
      peer.on('close', () => {});
    });
    const socket = client(port).setNoDelay(true);
    for (const octet of sent) {
      socket.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await until(() => ended);
    expect(Buffer.concat(parts).toString()).toBe(sent.toString());
  });

  it('tells of a reset, and is gone then', async () => {
    const events: string[] = [];
    const port = await serve(kind, (peer) => {
      peer.on('data', () => events.push('data'));
      peer.on('error', (error) => events.push(typeof error.message));
      peer.on('close', () => events.push('close'));
    });
    const socket = client(port);
    socket.write('x');
    await until(() => events.includes('data'));
    socket.resetAndDestroy();
    await until(() => events.includes('close'));
    expect(events).toEqual(['data', 'string', 'close']);
  });

  it('is gone at once when it is destroyed, and takes nothing more', async () => {
    let closed = 0;
    let data = 0;
    const port = await serve(kind, (peer) => {
      peer.on('error', () => {});
      peer.on('close', () => closed++);
      peer.on('data', () => {
        data++;
        peer.destroy();
        peer.destroy();
        peer.write(Buffer.from('too late'));
        peer.end();
        peer.resume();
      });
    });
    const socket = client(port);
    socket.write('x');
    await until(() => closed > 0);
    await until(() => socket.closed);
    expect({ closed, data, text: socket.text }).toEqual({ closed: 1, data: 1, text: '' });
  });

  it('says all it has to say before it is destroyed soon', async () => {
    const last = Buffer.alloc(4 * 1024 * 1024, 'z');
    const port = await serve(kind, (peer) => {
      peer.write(last);
      peer.destroySoon();
    });
    const socket = client(port);
    await until(() => socket.closed);
    expect(socket.text.length).toBe(last.length);
  });
});

describe('a client that sends octet by octet', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.runAllTimers();
    vi.useRealTimers();
  });

  /** A peer on a handle that does nothing but tell whether it reads. */
  function rawPeer(): { peer: TcpPeer; handle: { isReading: boolean; calls: number }; got: number[] } {
    const handle = {
      isReading: false,
      calls: 0,
      readStart: () => {
        handle.isReading = true;
        handle.calls++;
        return 0;
      },
      readStop: () => {
        handle.isReading = false;
        return 0;
      },
      writeBuffer: () => 0,
      close: (done: () => void) => done(),
      useUserBuffer: () => {},
      setNoDelay: () => 0,
      getpeername: () => 0,
    };
    const peer = new TcpPeer(handle as unknown as ConstructorParameters<typeof TcpPeer>[0]);
    const got: number[] = [];
    peer.on('data', (view: Buffer) => got.push(view.length));
    return { peer, handle, got };
  }

  function arrive(peer: TcpPeer, reads: number, octets = 1): void {
    for (let read = 0; read < reads; read++) peer.arrived(octets);
  }

  it('is not read for a moment after eight short reads in a row', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 7);
    expect(handle.isReading).toBe(true);
    arrive(peer, 1);
    expect(handle.isReading).toBe(false);
    vi.advanceTimersByTime(4);
    expect(handle.isReading).toBe(false);
    vi.advanceTimersByTime(1);
    expect(handle.isReading).toBe(true);
  });

  it('rests again after two short reads behind what was gathered, and after eight behind longer reads', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 8);
    for (const gathered of [8, 16, 17, 2000]) {
      vi.advanceTimersByTime(5);
      arrive(peer, 1, gathered);
      arrive(peer, 1);
      expect(handle.isReading).toBe(true);
      arrive(peer, 1);
      expect(handle.isReading).toBe(false);
    }
    vi.advanceTimersByTime(5);
    arrive(peer, 2, 2000);
    arrive(peer, 7);
    expect(handle.isReading).toBe(true);
  });

  it('shares its moment with all others, so that there is one timer', () => {
    const many = Array.from({ length: 50 }, rawPeer);
    for (const { peer } of many) arrive(peer, 8);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5);
    expect(many.every(({ handle }) => handle.isReading)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not rest if it is answered', () => {
    const { peer, handle } = rawPeer();
    for (let command = 0; command < 100; command++) {
      arrive(peer, 7);
      peer.write(Buffer.from('250 OK\r\n'));
    }
    expect(handle.calls).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('rests after 64 short reads only, once a moment has gathered next to nothing, as of whoever types', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 8);
    for (let round = 0; round < 3; round++) {
      vi.advanceTimersByTime(5);
      arrive(peer, 1, 7);
      arrive(peer, 63);
      expect(handle.isReading).toBe(true);
      arrive(peer, 1);
      expect(handle.isReading).toBe(false);
    }
  });

  it('does not rest if its reads are no longer short', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 100, 17);
    expect(handle.calls).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not rest while it is paused anyway', () => {
    const { peer, handle } = rawPeer();
    peer.on('data', () => peer.pause());
    arrive(peer, 8);
    expect(vi.getTimerCount()).toBe(0);
    peer.resume();
    expect(handle.isReading).toBe(true);
  });

  it('stays paused after the moment if it was paused', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 8);
    peer.pause();
    vi.advanceTimersByTime(5);
    expect(handle.isReading).toBe(false);
    peer.resume();
    expect(handle.isReading).toBe(true);
  });

  it('is read no sooner if it is paused and resumed in the moment', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 8);
    peer.pause();
    peer.resume();
    expect(handle.isReading).toBe(false);
    vi.advanceTimersByTime(5);
    expect(handle.isReading).toBe(true);
  });

  it('brings what was given back before anything that comes after the moment', async () => {
    const { peer, handle, got } = rawPeer();
    arrive(peer, 8);
    peer.pause();
    peer.unshift(Buffer.alloc(20));
    peer.resume();
    vi.advanceTimersByTime(5);
    expect(handle.isReading).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(got.at(-1)).toBe(20);
    expect(handle.isReading).toBe(true);
  });

  it('is left alone after the moment if it has gone', () => {
    const { peer, handle } = rawPeer();
    arrive(peer, 8);
    peer.destroy();
    vi.advanceTimersByTime(5);
    expect(handle.isReading).toBe(false);
  });
});

describe('a connection without streams', () => {
  it('becomes a socket that TLS can be spoken on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inboxd-tls-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = (name: string): string => join(folder, name);
    // biome-ignore format: a command line
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-keyout', file('key'), '-out', file('cert'), '-subj', '/CN=mx.example.test', '-days', '2'], { stdio: 'ignore' });
    const said: string[] = [];
    const port = await serve('TcpPeer', (peer) => {
      peer.on('data', () => {
        peer.removeAllListeners('data');
        const socket = (peer as TcpPeer).toSocket();
        const secure = new TLSSocket(socket, {
          isServer: true,
          cert: readFileSync(file('cert')),
          key: readFileSync(file('key')),
        });
        secure.on('data', (view: Buffer) => {
          said.push(view.toString());
          secure.end('sealed');
        });
        secure.on('error', () => {});
        socket.write('go');
      });
    });
    const plain = connect(port, '127.0.0.1');
    plain.write('STARTTLS');
    await new Promise((resolve) => plain.once('data', resolve));
    const secure = connectTls({ socket: plain, rejectUnauthorized: false });
    closing.push(() => secure.destroy());
    secure.write('hidden');
    const answer = await new Promise<string>((resolve) => secure.once('data', (view) => resolve(String(view))));
    expect([said, answer]).toEqual([['hidden'], 'sealed']);
  });

  it('is not had from a UNIX socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inboxd-unix-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
    closing.push(() => server.close());
    expect(takeOver(server, () => {})).toBe(false);
  });
});
