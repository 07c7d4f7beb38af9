import { lookup } from 'node:dns/promises';
import { isAbsent, type Resolver } from '../mail/resolver.ts';
import type { Reach } from '../outbound/pinned-request.ts';
import { isPublicAddress } from '../outbound/public-address.ts';

/**
 * The servers that a target may be on: public ones, or any where its operator allows that.
 *
 * Names are asked of the DNS, since the system's own means would block a thread of the few that all files share. What
 * the DNS does not know is looked for in the hosts file of the system, and only where private addresses are allowed:
 * it would hardly name a public one.
 */
export function createReach(resolver: Resolver, allowsPrivate: boolean): Reach {
  return {
    async resolve(host) {
      // RFC 6761 §6.3: these never leave the machine
      if (/^(?:.+\.)?localhost\.?$/i.test(host)) return ['127.0.0.1', '::1'];
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
      const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      if (addresses.length > 0) return addresses;
      const failed = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason as unknown);
      const unknown = failed.find((reason) => !isAbsent(reason));
      if (unknown !== undefined && !allowsPrivate) throw unknown;
      if (!allowsPrivate) return [];
      return (await lookup(host, { all: true })).map(({ address }) => address);
    },
    allows: allowsPrivate ? () => true : isPublicAddress,
  };
}
