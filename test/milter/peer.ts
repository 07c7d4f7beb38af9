/** Milters that others wrote: each test has its own process of one, on a socket of its own, and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { later } from './support.ts';

export type Address = { readonly path: string } | { readonly host: string; readonly port: number };

/** A folder of the test's own, which other users may enter. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'inboxd-peer-'));
  chmodSync(folder, 0o755);
  later(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a program that stays in the foreground; resolves once something listens at its address.
 * @returns ends it; that is done behind the test in any case
 */
export async function startPeer(
  program: string,
  args: readonly string[],
  address: Address,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL', // those in libmilter wait for their sessions else
): Promise<() => Promise<void>> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
  const end = (): Promise<void> => endPeer(child, signal);
  later(end);
  while (!(await answers(address))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended:\n${output}`);
    await delay(50);
  }
  return end;
}

async function endPeer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(timer);
}

function answers(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address as never);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
