/** Milters that others wrote and many run: OpenDKIM, rspamd, ClamAV, SpamAssassin. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeAsRoot, describeWithPeers } from '../support/peers.ts';
import { runWell } from '../support/run.ts';
import { deliver, SmtpClient, SmtpRefusal, type SmtpReply } from '../support/smtp-client.ts';
import { freePort, ownFolder, startPeer } from './peer.ts';
import { type Bench, startBench, stopAfterEach } from './support.ts';

stopAfterEach();

/** Brings a mail; gives the refusal if there is one. */
async function send(port: number, text: string, from = '127.0.0.1'): Promise<SmtpReply | undefined> {
  const client = await SmtpClient.open({ port, from }, 'EHLO client.example.test');
  const mail = { from: 'alice@example.test', to: ['bob@example.test'], content: Buffer.from(text, 'latin1') };
  try {
    await deliver(client, mail);
    return undefined;
  } catch (error) {
    if (!(error instanceof SmtpRefusal)) throw error;
    return error.reply;
  } finally {
    await client.drop();
  }
}

const mailWith = (body: string): string =>
  `From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: A mail\r\nDate: Thu, 20 Nov 2025 10:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\n${body}\r\n`;
const HAM = mailWith('Nothing special in here.');
/** Strings made for tests; in pieces, so that nobody takes this file for what it speaks of. */
const GTUBE = ['XJS*C4JDBQADN1.NSBN3*2IDNEN', 'GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'].join('*');
const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('');

describeAsRoot('a milter', () => {
  describeWithPeers('OpenDKIM', ['opendkim'], ({ opendkim }) => {
    async function start(canonicalization: string): Promise<Bench> {
      const folder = ownFolder();
      const at = (name: string): string => join(folder, name);
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
      const mode = { mode: 0o600 };
      writeFileSync(at('key.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }), mode);
      writeFileSync(at('internal'), '127.0.0.1\n', mode);
      writeFileSync(at('dns'), `sel._domainkey.example.test v=DKIM1; h=sha256; k=rsa; p=${spki}\n`, mode);
      const settings = {
        Syslog: 'no',
        Mode: 'sv',
        Domain: 'example.test',
        Selector: 'sel',
        KeyFile: at('key.pem'),
        Socket: `local:${at('socket')}`,
        InternalHosts: at('internal'),
        ExternalIgnoreList: at('internal'),
        RequireSafeKeys: 'no',
        'On-BadSignature': 'accept',
        AlwaysAddARHeader: 'yes',
        AuthservID: 'mx.example.test',
        TestDNSData: `file:${at('dns')}`,
        UserID: 'root',
        Canonicalization: canonicalization,
      };
      writeFileSync(
        at('conf'),
        Object.entries(settings)
          .map((line) => `${line.join(' ')}\n`)
          .join(''),
        mode,
      );
      await startPeer(opendkim, ['-f', '-x', at('conf')], { path: at('socket') });
      return startBench([`unix:${at('socket')}?name=dkim`]);
    }

    it.each(['relaxed/simple', 'simple/simple'])(
      'signs what it then finds unchanged, octet for octet (%s)',
      async (form) => {
        const { port, taken, reportsOf } = await start(form);
        // nothing here is as a program would write it, so that whoever writes it anew breaks the signature
        const odd = HAM.replace('Subject: A mail', 'Subject:  A  mail \r\n\twith a fold').replace('To: ', 'To:');
        expect(await send(port, odd)).toBeUndefined();
        const signed = taken[0]!.content;
        expect(signed).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256; c=/m);
        expect(signed.endsWith(odd)).toBe(true);
        expect(taken[0]!.original).toBe(odd);

        await send(port, signed, '127.0.0.9');
        expect(taken[1]!.content).toMatch(/^Authentication-Results: mx\.example\.test;[^:]*dkim=pass /m);
        expect(taken[1]!.content.endsWith(signed)).toBe(true);
        await send(port, signed.replace('Nothing special', 'Nothing Special'), '127.0.0.9');
        expect(taken[2]!.content).toMatch(/^Authentication-Results: mx\.example\.test;[^:]*dkim=fail /m);
        expect(reportsOf('milter-failure')).toEqual([]);
        expect(reportsOf('milter-oddity')).toEqual([]);
      },
    );
  });

  describeWithPeers('rspamd', ['rspamd'], ({ rspamd }) => {
    it('refuses GTUBE in its own words, and lets the rest pass', async () => {
      const folder = ownFolder();
      const at = (name: string): string => join(folder, name);
      const port = await freePort();
      mkdirSync(at('db'));
      const config = `
options { pidfile = "${at('pid')}"; dbdir = "${at('db')}"; filters = ""; enable_test_patterns = true; dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; } }
logging { type = "console"; level = "error"; }
lang_detection { languages = "/nonexistent"; }
worker "rspamd_proxy" {
  bind_socket = "127.0.0.1:${port}"; milter = yes; count = 1; timeout = 30s;
  upstream "local" { default = yes; self_scan = yes; }
}
actions { reject = 15; add_header = 6; greylist = 4; }
`;
      writeFileSync(at('conf'), config);
      const [{ uid, gid }] = [await idsOf('_rspamd')];
      for (const path of [folder, at('db'), at('conf')]) chownSync(path, uid, gid);
      await startPeer(
        rspamd,
        ['-f', '-u', '_rspamd', '-g', '_rspamd', '-c', at('conf')],
        { host: '127.0.0.1', port },
        'SIGTERM',
      );
      const bench = await startBench([`inet:127.0.0.1:${port}?name=rspamd`]);
      expect(await send(bench.port, mailWith(GTUBE))).toMatchObject({
        code: 554,
        text: expect.stringMatching(/^5\.7\.1 Gtube pattern/i),
      });
      expect(await send(bench.port, HAM)).toBeUndefined();
      expect(bench.taken).toHaveLength(1);
      expect(bench.taken[0]!.content.endsWith('\r\n\r\nNothing special in here.\r\n')).toBe(true);
      expect(bench.reportsOf('milter-failure')).toEqual([]);
    }, 60_000);
  });

  describeWithPeers('ClamAV', ['clamd', 'clamav-milter'], ({ clamd, 'clamav-milter': milter }) => {
    it('refuses what it knows, and defers while its scanner is gone', async () => {
      const folder = ownFolder();
      const at = (name: string): string => join(folder, name);
      mkdirSync(at('db'));
      writeFileSync(at('db/test.ndb'), `Test.File:0:*:${Buffer.from(EICAR).toString('hex')}\n`);
      const own = 'Foreground yes\nUser root\n';
      writeFileSync(at('clamd.conf'), `${own}DatabaseDirectory ${at('db')}\nLocalSocket ${at('clamd')}\n`);
      writeFileSync(
        at('milter.conf'),
        `${own}MilterSocket unix:${at('socket')}\nClamdSocket unix:${at('clamd')}\nOnInfected Reject\nOnFail Defer\nAddHeader Add\nRejectMsg Infected with %v\n`,
      );
      const stopScanner = await startPeer(clamd, ['-c', at('clamd.conf')], { path: at('clamd') });
      await startPeer(milter, ['-c', at('milter.conf')], { path: at('socket') });
      const bench = await startBench([`unix:${at('socket')}?name=clamav`]);
      expect(await send(bench.port, HAM)).toBeUndefined();
      expect(bench.taken[0]!.content).toMatch(/^X-Virus-Status: Clean\r$/m);
      const refusal = await send(bench.port, mailWith(EICAR));
      expect(refusal).toMatchObject({ code: 550, text: expect.stringMatching(/^5\.7\.1 Infected with Test\.File/) });
      await stopScanner();
      expect(await send(bench.port, HAM)).toMatchObject({ code: 451 });
      expect(bench.taken).toHaveLength(1);
      expect(bench.reportsOf('milter-failure')).toEqual([]);
    }, 60_000);
  });

  describeWithPeers('SpamAssassin', ['spamass-milter', 'spamd', 'spamc'], ({ 'spamass-milter': milter, spamd }) => {
    it('refuses GTUBE', async () => {
      const folder = ownFolder();
      const at = (name: string): string => join(folder, name);
      const port = await freePort();
      mkdirSync(at('rules'));
      writeFileSync(at('rules/test.pre'), 'loadplugin Mail::SpamAssassin::Plugin::Check\n');
      const rules = [
        `body GTUBE /${GTUBE.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}/`,
        'score GTUBE 1000',
        'required_score 5',
        'report_safe 0',
        'clear_headers',
        'add_header spam Flag _YESNOCAPS_',
        'add_header all Status "_YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_"',
        'add_header all Checker-Version "SpamAssassin _VERSION_ on _HOSTNAME_"',
      ];
      writeFileSync(at('rules/test.cf'), `${rules.join('\n')}\n`);
      const flags = ['-L', '-x', '-i', '127.0.0.1', '-p', String(port), '-m', '1', '--min-children=1', '-r', at('pid')];
      const config = ['-C', at('rules'), '--siteconfigpath', at('rules'), '-s', 'stderr'];
      await startPeer(spamd, [...flags, ...config], { host: '127.0.0.1', port }, 'SIGTERM');
      await startPeer(milter, ['-p', at('socket'), '-r', '15', '--', '-d', '127.0.0.1', '-p', String(port)], {
        path: at('socket'),
      });
      const bench = await startBench([`unix:${at('socket')}?name=spam`]);
      expect(await send(bench.port, mailWith(GTUBE))).toMatchObject({
        code: 550,
        text: '5.7.1 Blocked by SpamAssassin',
      });
      expect(await send(bench.port, HAM)).toBeUndefined();
      expect(bench.taken[0]!.content).toMatch(/^X-Spam-Checker-Version: /m);
    }, 60_000);
  });
});

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const ids = await Promise.all(['-u', '-g'].map(async (flag) => Number((await runWell('id', [flag, user])).stdout)));
  return { uid: ids[0]!, gid: ids[1]! };
}
