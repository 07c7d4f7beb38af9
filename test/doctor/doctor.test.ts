import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completeConfig } from '../../src/config.ts';
import { checkCertificates } from '../../src/doctor/certificates.ts';
import { checkDomain } from '../../src/doctor/domain.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { checkFolder, checkMachine } from '../../src/doctor/machine.ts';
import { checkPorts } from '../../src/doctor/ports.ts';
import { checkStore } from '../../src/doctor/store.ts';
import { checkWebhooks } from '../../src/doctor/webhooks.ts';
import { mtaStsRecord } from '../../src/http/mta-sts.ts';
import { createDaemon } from '../../src/index.ts';
import type { Resolver } from '../../src/mail/resolver.ts';
import { mtaStsPolicy } from '../../src/sts-policy.ts';
import { Folder, inboxd } from '../cli/support.ts';
import { describeWithPeers } from '../support/peers.ts';
import { deliver, SmtpClient } from '../support/smtp-client.ts';

const found = (findings: readonly Finding[]): string[] => findings.map(({ check, level }) => `${check} ${level}`);

/** A zone that answers what a test gave it, and ENOTFOUND else. */
function zone(records: Readonly<Record<string, readonly unknown[]>>): Resolver {
  const ask = (type: string) => async (name: string) => {
    const values = records[`${type} ${name}`];
    if (values) return values as never;
    throw Object.assign(new Error(`query${type} ENOTFOUND ${name}`), { code: 'ENOTFOUND' });
  };
  return {
    resolve4: ask('A'),
    resolve6: ask('AAAA'),
    resolveTxt: ask('TXT'),
    resolveMx: ask('MX'),
    resolveCname: ask('CNAME'),
    reverse: ask('PTR'),
  };
}

const OURS = {
  'MX example.test': [{ exchange: 'mx.example.test', priority: 10 }],
  'A mx.example.test': ['192.0.2.1'],
  'AAAA mx.example.test': ['2001:db8::1'],
  'PTR 192.0.2.1': ['mx.example.test'],
  'PTR 2001:db8::1': ['mx.example.test'],
};

describe('what doctor says of a domain', () => {
  const config = completeConfig({ listen: 'smtp://127.0.0.1:0', hostname: 'mx.example.test', data: ':memory:' });

  it('is good where MX, addresses and names back fit', async () => {
    const findings = await checkDomain('example.test', config, zone(OURS));
    expect(found(findings)).toEqual(['MX good', 'address good', 'PTR good', 'PTR good']);
  });

  it.each([
    ['no MX', {}, 'MX bad', 'example.test. MX 10 mx.example.test.'],
    [
      'an MX elsewhere',
      { ...OURS, 'MX example.test': [{ exchange: 'other.test', priority: 1 }] },
      'MX bad',
      '--hostname',
    ],
    ['a server without address', { 'MX example.test': OURS['MX example.test'] }, 'address bad', 'A and AAAA'],
    ['an address without name', { ...OURS, 'PTR 192.0.2.1': [] }, 'PTR doubtful', 'mx.example.test'],
    [
      'an address of another name',
      { ...OURS, 'PTR 192.0.2.1': ['pool-1.isp.test'] },
      'PTR doubtful',
      'mx.example.test',
    ],
  ])('%s is found, with what to do', async (_what, records, level, remedy) => {
    const findings = await checkDomain('example.test', config, zone(records));
    const wrong = findings.find((finding) => found([finding])[0] === level);
    expect(wrong?.remedy).toContain(remedy);
  });

  it('a DNS that does not answer is no missing record', async () => {
    const failing = {
      ...zone({}),
      resolveMx: () => Promise.reject(Object.assign(new Error('x'), { code: 'ETIMEOUT' })),
    };
    expect(found(await checkDomain('example.test', config, failing))).toEqual(['DNS bad']);
  });

  it('the record of MTA-STS is wanted for a domain whose policy is served', async () => {
    const strict = completeConfig({ ...config, listen: 'smtp://127.0.0.1:0', mtaSts: ['example.test'] });
    const record = mtaStsRecord(mtaStsPolicy(strict));
    const without = await checkDomain('example.test', strict, zone(OURS));
    expect(without.filter(({ check }) => check === 'MTA-STS').map(({ remedy }) => remedy)).toEqual([
      `add to the zone: _mta-sts.example.test. TXT "${record}"`,
      'add to the zone: mta-sts.example.test. with our addresses',
    ]);
    const records = { ...OURS, 'TXT _mta-sts.example.test': [[record]], 'A mta-sts.example.test': ['192.0.2.1'] };
    expect(found(await checkDomain('example.test', strict, zone(records)))).toContain('MTA-STS good');
    const old = { ...records, 'TXT _mta-sts.example.test': [['v=STSv1; id=1;']] };
    expect(found(await checkDomain('example.test', strict, zone(old)))).toContain('MTA-STS doubtful');
    const otherMx = completeConfig({ ...strict, listen: 'smtp://127.0.0.1:0', mtaStsMx: ['*.other.test'] });
    const unnamed = await checkDomain('example.test', otherMx, zone(records));
    expect(unnamed.at(-1)).toMatchObject({
      check: 'MTA-STS',
      level: 'bad',
      remedy: expect.stringContaining('--mta-sts-mx'),
    });
  });
});

describe('what doctor says of webhooks', () => {
  it('is where they are, whether they may be asked, and what signs for them', async () => {
    using folder = new Folder();
    writeFileSync(folder.at('good'), `whsec_${Buffer.alloc(32).toString('base64')}`);
    writeFileSync(folder.at('bad'), 'secret');
    const config = completeConfig({
      data: ':memory:',
      webhooks: {
        well: { url: 'https://mx.example.test/?key=s3cr3t', 'secret-file': folder.at('good'), 'allow-private': true },
        plain: { url: 'http://public.example.test/' },
        closed: { url: 'https://127.0.0.1/', 'secret-file': folder.at('bad') },
        lost: { url: 'https://nowhere.example.test/', 'secret-file': folder.at('none') },
      },
    });
    const records = { ...OURS, 'A public.example.test': ['93.184.215.14'] };
    const findings = await checkWebhooks(config, zone(records));
    expect(findings.map(({ level, text }) => `${level} ${text}`)).toEqual([
      'good well is at mx.example.test (192.0.2.1, 2001:db8::1)',
      'good plain is at public.example.test (93.184.215.14)',
      'doubtful plain is told over the Internet without encryption',
      'doubtful plain is not signed',
      'bad closed: 127.0.0.1 has a private address',
      `bad closed: line 1 of ${folder.at('bad')} is no secret: it is not whsec_ and base64`,
      'bad lost: nowhere.example.test: no such host',
      expect.stringContaining(`bad lost: cannot read ${folder.at('none')}`),
    ]);
  });
});

describe('what doctor says of this machine', () => {
  it('names the program that has a port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const listen = [{ protocol: 'smtp', host: '127.0.0.1', port }] as const;
    const [finding] = await checkPorts(listen, undefined);
    expect(finding).toMatchObject({ level: 'bad', text: expect.stringContaining(`(process ${process.pid})`) });
    expect(found(await checkPorts(listen, process.pid))).toEqual(['listener good']);
    taken.close();
    await once(taken, 'close');
    expect(found(await checkPorts(listen, undefined))).toEqual(['listener good']);
  });

  it('finds too few open files, and a root who is not wanted', () => {
    const config = completeConfig({ listen: 'smtp://127.0.0.1:0', data: ':memory:', maxConnections: 1_000_000 });
    const findings = checkMachine(config);
    expect(found(findings)).toContain('open files bad');
    expect(found(findings)).toContain(process.geteuid?.() === 0 ? 'user bad' : 'user good');
  });

  it('finds a data folder that others can look into', () => {
    using folder = new Folder();
    const at = (data: string) => checkFolder(completeConfig({ listen: 'smtp://127.0.0.1:0', data }));
    chmodSync(folder.path, 0o755);
    expect(found(at(folder.path))).toContain('data folder doubtful');
    chmodSync(folder.path, 0o700);
    expect(found(at(folder.path))).toContain('data folder good');
    expect(found(at(folder.at('not/yet/there')))).toContain('data folder good');
  });

  it('finds damage in the store, and mail from the future', async () => {
    using folder = new Folder();
    const config = completeConfig({ listen: 'smtp://127.0.0.1:0', data: folder.path });
    expect(found(checkStore(config))).toEqual(['store good']);
    const daemon = await createDaemon(config);
    const client = await SmtpClient.open(Number(new URL(daemon.listeners[0]!.url).port));
    const content = Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(60)}\r\n`.repeat(2000));
    for (let number = 0; number < 5; number++) await deliver(client, { from: 'a@b.test', to: ['c@d.test'], content });
    await client.quit();
    expect(found(checkStore(config))).toEqual(['store good']);
    await daemon.stop();
    expect(found(checkStore(config, Date.now() - 3_600_000))).toEqual(['store good', 'clock bad']);
    const path = join(folder.path, 'inboxd.db');
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 16_384 * 3, bytes.length);
    writeFileSync(path, bytes);
    expect(found(checkStore(config))).toEqual(['store bad']);
  });
});

describeWithPeers('what doctor says of certificates', ['openssl'], ({ openssl }) => {
  it('finds those that expire, have expired, or name somebody else', async () => {
    using folder = new Folder();
    const [cert, key] = [folder.at('cert.pem'), folder.at('key.pem')];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '10'];
    const name = ['-subj', '/CN=mx.example.test', '-addext', 'subjectAltName=DNS:mx.example.test'];
    execFileSync(openssl, [...make, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const config = (hostname: string) =>
      completeConfig({ listen: 'smtp://127.0.0.1:0', hostname, data: ':memory:', tlsCerts: [cert], tlsKeys: [key] });
    const ours = config('mx.example.test');
    expect(found(await checkCertificates(ours))).toEqual(['certificate doubtful']);
    expect(found(await checkCertificates(ours, Date.now() - 60 * 86_400_000))).toEqual(['certificate good']);
    expect(found(await checkCertificates(ours, Date.now() + 20 * 86_400_000))).toEqual(['certificate bad']);
    expect(found(await checkCertificates(config('other.test')))).toEqual(['certificate doubtful', 'certificate bad']);
    writeFileSync(cert, 'nonsense');
    expect(found(await checkCertificates(ours))).toEqual(['certificate bad']);
  });
});

describe('inboxd doctor', () => {
  it('tells in lines, and as JSON, with an exit code', async () => {
    using folder = new Folder();
    mkdirSync(folder.at('data'), { mode: 0o700 });
    const args = ['doctor', '--data', folder.at('data'), '--port', '0', '--http-port', '0'];
    const well = await inboxd(args);
    expect(well.code).toBe(0);
    expect(well.stdout).toMatch(/^ok {3}disk +[\d.]+ [GM]B free$/m);
    const ill = await inboxd([...args, '--max-connections', '1000000', '--json']);
    expect(ill.code).toBe(2);
    expect(JSON.parse(ill.stdout)).toContainEqual(
      expect.objectContaining({ check: 'open files', level: 'bad', remedy: expect.stringContaining('ulimit -n') }),
    );
  });
});
