import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningServer } from '../contest.ts';

const START_MS = 120_000;

/** A TCP port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** Two of them that differ: for mail and for HTTP. */
export async function freePorts(): Promise<[mail: number, http: number]> {
  const mail = await freePort();
  let http = mail;
  while (http === mail) http = await freePort();
  return [mail, http];
}

export interface ServerSurroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Open file that its standard output goes to; nowhere if absent. */
  readonly output?: number;
}

/** Starts a server program; resolves when its port accepts connections, throws if it ends before. */
export async function startServer(
  program: string,
  args: readonly string[],
  port: number,
  { env, output }: ServerSurroundings = {},
): Promise<RunningServer> {
  const child = spawn(program, args, {
    stdio: ['ignore', output ?? 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = once(child, 'exit');
  const give = performance.now() + START_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > give) {
      child.kill('SIGKILL');
      throw new Error(`${program} ${args.join(' ')} does not listen`);
    }
    await pause(5);
  }
  return {
    port,
    pid: child.pid!,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (yes: boolean) => () => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('connect', answer(true)).on('error', answer(false));
  });
}
