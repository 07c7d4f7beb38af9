import { Resolver as NodeResolver } from 'node:dns/promises';
import { reverseName } from '../mail/ip-address.ts';
import type { Resolver } from '../mail/resolver.ts';

export interface ResolverOptions {
  /** `address` or `address:port` of each server to ask; those of the system if empty. */
  readonly servers?: readonly string[];
  /** Longest wait for an answer, repeats included. */
  readonly deadlineMs: number;
  /** Questions under way at once; one more is refused with EBUSY. */
  readonly underWay?: number;
}

/** A DNS lookup that ended without an answer, for a reason of ours. */
class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly code: 'ETIMEOUT' | 'EBUSY';

  constructor(code: 'ETIMEOUT' | 'EBUSY', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Makes a resolver that asks DNS servers and never the hosts file.
 * Whatever the servers do, a question ends at its deadline, and their number under way is bounded: DNS that hangs costs
 * its askers a wait, and the daemon nothing.
 */
export function createResolver({ servers = [], deadlineMs, underWay = 512 }: ResolverOptions): Resolver {
  // a lost datagram is asked for again while there is time
  const node = new NodeResolver({ timeout: Math.max(100, Math.ceil(deadlineMs / 3)), tries: 2 });
  if (servers.length > 0) node.setServers(servers);
  let waiting = 0;
  const bounded = async <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    if (waiting >= underWay) throw new LookupError('EBUSY', `${question}: ${underWay} DNS questions are under way`);
    waiting++;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new LookupError('ETIMEOUT', `${question}: no answer of the DNS within ${deadlineMs} ms`));
      }, deadlineMs);
    });
    try {
      return await Promise.race([ask(), late]);
    } finally {
      clearTimeout(timer);
      waiting--;
    }
  };
  return {
    resolve4: (name) => bounded(`A ${name}`, () => node.resolve4(name)),
    resolve6: (name) => bounded(`AAAA ${name}`, () => node.resolve6(name)),
    resolveTxt: (name) => bounded(`TXT ${name}`, () => node.resolveTxt(name)),
    resolveMx: (name) => bounded(`MX ${name}`, () => node.resolveMx(name)),
    resolveCname: (name) => bounded(`CNAME ${name}`, () => node.resolveCname(name)),
    // not the library's own `reverse`, which looks into the hosts file first
    reverse: (address) => bounded(`PTR ${address}`, async () => node.resolvePtr(reverseName(address) ?? address)),
  };
}
