import { readdirSync, readFileSync } from 'node:fs';
import { SystemError } from './errors.ts';
import type { Identity } from './identity.ts';

/** Node.js has this call on every system with user ids; its types forget it. */
type PosixProcess = NodeJS.Process & { initgroups(user: string, group: number): void };

/**
 * The rights of a program that was started as root and shall not stay it.
 *
 * They are lent away at once: from then on everything is made, opened and read as the user, so that what belongs to the
 * daemon is his and what he may not read is found out at the start and not at the first reload. Only for binding does
 * the program take them back, and then gives them up for good. Threads follow: the C library changes all of them.
 */
export class Privileges {
  readonly #identity: Identity;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /**
   * Acts as the user from now on.
   * @throws SystemError USER_UNUSABLE where the program may not, as when it was not started as root
   */
  lend(): void {
    const { user, uid, gid, memberships } = this.#identity;
    try {
      if (memberships === undefined) process.setgroups!([gid]);
      else (process as PosixProcess).initgroups(memberships, gid);
      process.setegid!(gid);
      process.seteuid!(uid);
    } catch (cause) {
      throw new SystemError('USER_UNUSABLE', `cannot become user ${user}: only root can; start inboxd as root`, {
        cause,
      });
    }
  }

  /** Acts as root. */
  use(): void {
    process.seteuid!(0);
  }

  /**
   * Gives the rights up for good and makes sure of it.
   * @throws SystemError USER_KEEPS_RIGHTS if anything is left of them
   */
  giveUp(): void {
    const { uid, gid } = this.#identity;
    process.seteuid!(0);
    process.setgid!(gid);
    process.setuid!(uid);
    const left = whatIsLeft(uid, gid);
    if (left !== undefined) throw new SystemError('USER_KEEPS_RIGHTS', `rights of root are still there: ${left}`);
  }
}

/** Reads back who every thread is, and tries to become root again; undefined if nothing is left of root. */
function whatIsLeft(uid: number, gid: number): string | undefined {
  if (process.getgroups!().includes(0)) return 'the group of root';
  for (const thread of readdirSync('/proc/self/task')) {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'utf8');
    // real, effective, saved and for files
    if (idsOf(status, 'Uid').some((id) => id !== uid)) return `the user id of thread ${thread}`;
    if (idsOf(status, 'Gid').some((id) => id !== gid)) return `the group id of thread ${thread}`;
    if (/^Cap(?:Prm|Eff):\s*0*[1-9a-f]/m.test(status)) return `capabilities of thread ${thread}`;
  }
  const ways: readonly [string, () => void][] = [
    ['setuid', () => process.setuid!(0)],
    ['seteuid', () => process.seteuid!(0)],
    ['setgid', () => process.setgid!(0)],
    ['setegid', () => process.setegid!(0)],
    ['setgroups', () => process.setgroups!([0])],
  ];
  return ways.find(([, regain]) => works(regain))?.[0];
}

function idsOf(status: string, field: string): number[] {
  const line = new RegExp(`^${field}:(.*)$`, 'm').exec(status)?.[1] ?? '';
  return line.trim().split(/\s+/).map(Number);
}

function works(regain: () => void): boolean {
  try {
    regain();
    return true;
  } catch {
    return false; // EPERM, as it must be
  }
}
