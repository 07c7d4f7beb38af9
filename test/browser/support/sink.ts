import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A proxy that brings nobody anywhere and remembers who asked: every request that wants to leave this machine. */
export interface Sink {
  readonly port: number;
  /** First lines of what came. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function openSink(): Promise<Sink> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {}); // the browser may leave first
    socket.once('data', (bytes) => {
      asked.push(bytes.toString('latin1').split('\r\n', 1)[0] ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
