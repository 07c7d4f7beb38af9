import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
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
