import { describe, expect, it } from 'vitest';
import type { Resolver } from '../../src/mail/resolver.ts';
import { addressesOf, BlockedError } from '../../src/outbound/pinned-request.ts';
import { createReach } from '../../src/webhooks/reach.ts';

const unknown = async (): Promise<never> => {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
};

function resolverOf(a: readonly string[], aaaa: readonly string[] = []): Resolver {
  const answer = (addresses: readonly string[]) => (addresses.length > 0 ? async () => addresses : unknown);
  const none = { resolveTxt: unknown, resolveMx: unknown, resolveCname: unknown, reverse: unknown };
  return { resolve4: answer(a), resolve6: answer(aaaa), ...none };
}

const signal = new AbortController().signal;
const judge = (url: string, allowsPrivate: boolean, resolver = resolverOf([])): Promise<readonly string[]> =>
  addressesOf(new URL(url), createReach(resolver, allowsPrivate), signal);

describe('the reach of webhooks', () => {
  it.each([
    'http://127.0.0.1/', 'http://localhost/', 'http://a.localhost./', 'http://[::1]/', 'http://10.1.2.3/', 'http://0/',
    'http://[::ffff:192.168.0.1]/', 'http://[::ffff:7f00:1]/', 'http://2130706433/', 'http://0x7f.1/', 'http://0177.0.0.1/',
    'http://169.254.169.254/latest/meta-data', 'http://[fe80::1]/', 'http://[fd00::1]/', 'http://[64:ff9b::7f00:1]/',
  ])('leaves out %s', async (url) => {
    await expect(judge(url, false)).rejects.toThrow(BlockedError);
  }); // biome-ignore format: a list

  it('leaves out a name of which one address is private', async () => {
    const resolver = resolverOf(['93.184.215.14', '10.0.0.1']);
    await expect(judge('http://hooks.example/', false, resolver)).rejects.toThrow(BlockedError);
    const mapped = resolverOf(['93.184.215.14'], ['::ffff:10.0.0.1']);
    await expect(judge('http://hooks.example/', false, mapped)).rejects.toThrow(BlockedError);
  });

  it('gives all addresses of a public name', async () => {
    const resolver = resolverOf(['93.184.215.14'], ['2606:2800:21f:cb07:6820:80da:af6b:8b2c']);
    expect(await judge('http://hooks.example/', false, resolver)).toHaveLength(2);
  });

  it('does not look into the hosts file for a public one', async () => {
    await expect(judge('http://hooks.example/', false)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('has private ones where that is allowed, also those of the hosts file', async () => {
    expect(await judge('http://10.1.2.3/', true)).toEqual(['10.1.2.3']);
    expect(await judge('http://localhost:8080/', true)).toEqual(['127.0.0.1', '::1']);
    expect(await judge('http://hook/', true, resolverOf(['172.17.0.2']))).toEqual(['172.17.0.2']);
  });

  it('says so when the DNS does not answer', async () => {
    const silent = async () => {
      throw Object.assign(new Error('late'), { code: 'ETIMEOUT' });
    };
    const resolver = { ...resolverOf([]), resolve4: silent, resolve6: silent };
    await expect(judge('http://hooks.example/', false, resolver)).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });
});
