import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { formatListenUrl, type ListenAddress } from '../config/listen-url.ts';
import { listenFailure } from '../listen-failure.ts';
import { listeningSockets } from '../system/proc-net.ts';
import { bad, type Finding, good } from './finding.ts';

/** Whether each listener can be bound, and who has its port if not. */
export async function checkPorts(listen: readonly ListenAddress[], ownPid: number | undefined): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const address of listen) findings.push(await checkPort(address, ownPid));
  return findings;
}

async function checkPort(address: ListenAddress, ownPid: number | undefined): Promise<Finding> {
  const url = formatListenUrl(address);
  if (address.path !== undefined) {
    const holder = holderOf(({ at }) => 'path' in at && at.path === address.path);
    if (holder === undefined) return good('listener', `${url} is free`);
    if (holder.pid === ownPid) return good('listener', `${url} is held by the daemon of the data folder`);
    return bad('listener', `${url} is held by ${nameOf(holder)}`, 'end that program, or listen elsewhere');
  }
  if (address.port === 0) return good('listener', `${url} picks a free port`);
  const error = await tryToBind(address.host, address.port);
  if (error === undefined) return good('listener', `${url} is free`);
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    const holder = holderOf(({ at }) => 'port' in at && at.port === address.port);
    if (holder && holder.pid === ownPid) return good('listener', `${url} is held by the daemon of the data folder`);
    const who = holder ? nameOf(holder) : 'a program of another user';
    return bad('listener', `${url} is held by ${who}`, 'end that program, or listen on another port');
  }
  const failure = listenFailure(address, error);
  const text = failure instanceof Error ? failure.message : String(failure);
  return bad(
    'listener',
    text,
    'start inboxd as root with --user, by inboxd.socket of systemd, or listen on another port',
  );
}

function tryToBind(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

interface Holder {
  readonly pid: number;
  readonly name: string;
}

function nameOf({ pid, name }: Holder): string {
  return `${name} (process ${pid})`;
}

/** The process that has a listening socket; undefined if there is none, or it belongs to another user. */
function holderOf(isIt: (socket: ReturnType<typeof listeningSockets>[number]) => boolean): Holder | undefined {
  const inodes = new Set(listeningSockets().filter(isIt).map(({ inode }) => `socket:[${inode}]`)); // biome-ignore format: one line
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (linksOf(`/proc/${pid}/fd`).some((link) => inodes.has(link))) {
      return { pid: Number(pid), name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
    }
  }
  return undefined;
}

function linksOf(folder: string): string[] {
  return unless([], () => readdirSync(folder)).map((name) => unless('', () => readlinkSync(`${folder}/${name}`)));
}

/** What a look at a process gives, or something else where that is another user's or gone meanwhile. */
function unless<T>(otherwise: T, look: () => T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
