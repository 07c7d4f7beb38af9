import { afterEach, describe, expect, it } from 'vitest';
import { createResolver } from '../../src/dns/resolver.ts';
import { isAbsent } from '../../src/mail/resolver.ts';
import { type DnsServer, startDnsServer, type Zone } from '../support/dns-server.ts';

let server: DnsServer;
afterEach(() => server.close());

async function serving(zone: Zone | 'silent', deadlineMs = 5000, underWay?: number) {
  server = await startDnsServer(zone);
  return createResolver({ servers: [server.address], deadlineMs, ...(underWay !== undefined && { underWay }) });
}

describe('the resolver', () => {
  it('reads every type of record that mail asks for', async () => {
    const resolver = await serving({
      'example.test': {
        A: ['192.0.2.1', '192.0.2.2'],
        AAAA: ['2001:db8::1'],
        TXT: ['v=spf1 -all', 'x'.repeat(300)],
        MX: [{ exchange: 'mx.example.test', priority: 10 }],
      },
      '1.2.0.192.in-addr.arpa': { PTR: ['example.test'] },
      'www.example.test': { CNAME: ['example.test'] },
    });
    expect(await resolver.resolve4('example.test')).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(await resolver.resolve6('example.test')).toEqual(['2001:db8::1']);
    expect(await resolver.resolveTxt('example.test')).toEqual([['v=spf1 -all'], ['x'.repeat(255), 'x'.repeat(45)]]);
    expect(await resolver.resolveMx('example.test')).toMatchObject([{ exchange: 'mx.example.test', priority: 10 }]);
    expect(await resolver.resolveCname('www.example.test')).toEqual(['example.test']);
    expect(await resolver.reverse('192.0.2.1')).toEqual(['example.test']);
  });

  it('tells what is not there from what nobody knows', async () => {
    const resolver = await serving({ 'example.test': { A: ['192.0.2.1'] }, 'broken.test': { fails: 'SERVFAIL' } });
    const failure = (promise: Promise<unknown>) =>
      promise.then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(isAbsent(await failure(resolver.resolve4('nowhere.test')))).toBe(true);
    expect(isAbsent(await failure(resolver.resolve6('example.test')))).toBe(true);
    const broken = await failure(resolver.resolve4('broken.test'));
    expect(broken).toBeInstanceOf(Error);
    expect(isAbsent(broken)).toBe(false);
  });

  it('gives up at its deadline when the DNS says nothing', async () => {
    const resolver = await serving('silent', 50);
    await expect(resolver.resolve4('example.test')).rejects.toMatchObject({ code: 'ETIMEOUT' });
  });

  it('refuses one question too many at once', async () => {
    const resolver = await serving('silent', 200, 2);
    const waiting = [resolver.resolve4('a.test'), resolver.resolve4('b.test')];
    await expect(resolver.resolve4('c.test')).rejects.toMatchObject({ code: 'EBUSY' });
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'ETIMEOUT' });
    server.serve({ 'c.test': { A: ['192.0.2.3'] } });
    expect(await resolver.resolve4('c.test')).toEqual(['192.0.2.3']);
  });
});
