/** OpenDKIM signs, the daemon verifies. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createVerifier } from '../../src/verify/verifier.ts';
import { describeWithPeers } from '../support/peers.ts';
import { run } from '../support/run.ts';
import { FACTS, plainMail, zoneResolver } from './support.ts';

describeWithPeers('a mail that OpenDKIM has signed', ['opendkim'], ({ opendkim }) => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  /** The mail with the field that OpenDKIM, asked as a milter would be, puts in front. */
  async function sign(raw: string, form: string, algorithm: string) {
    const folder = await mkdtemp(join(tmpdir(), 'inboxd-opendkim-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const at = (name: string): string => join(folder, name);
    const mode = { mode: 0o600 };
    await writeFile(at('key.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }), mode);
    await writeFile(at('hosts'), '0.0.0.0/0\nlocalhost\n', mode);
    await writeFile(at('mail'), raw, mode);
    await writeFile(
      at('conf'),
      `Mode s\nDomain example.org\nSelector od\nKeyFile ${at('key.pem')}\nCanonicalization ${form}\n` +
        `SignatureAlgorithm ${algorithm}\nSocket local:${at('socket')}\nInternalHosts ${at('hosts')}\nRequireSafeKeys no\n`,
      mode,
    );
    const { stdout, stderr } = await run(opendkim, ['-x', at('conf'), '-vv', '-t', at('mail')]);
    const [, value] = /hname='DKIM-Signature' hvalue='([^']+)'/.exec(stdout + stderr) ?? [];
    if (value === undefined) throw new Error(`OpenDKIM signed nothing:\n${stdout}${stderr}`);
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' }).toString('base64');
    return {
      signed: `DKIM-Signature: ${value.replace(/\r?\n/g, '\r\n')}\r\n${raw}`,
      record: `v=DKIM1; k=rsa; p=${spki}`,
    };
  }

  async function verify(raw: string, record: string) {
    const resolver = zoneResolver({ 'od._domainkey.example.org': { TXT: [record] } });
    const verifier = createVerifier({ resolver, report: () => {}, isBackground: false });
    undo.push(() => verifier.close());
    const finding = await verifier.verify(FACTS, async function* () {
      yield Buffer.from(raw);
    });
    return finding.kind === 'verified' ? finding.verification.dkim[0] : finding;
  }

  it.each(['relaxed/relaxed', 'relaxed/simple', 'simple/simple'])(
    'passes, and fails when changed (%s)',
    async (form) => {
      const { signed, record } = await sign(plainMail(), form, 'rsa-sha256');
      expect(await verify(signed, record)).toMatchObject({ result: 'pass', domain: 'example.org', selector: 'od' });
      expect(await verify(signed.replace(/\r\nHello\r\n$/, '\r\nHullo\r\n'), record)).toMatchObject({ result: 'fail' });
    },
  );

  it('does not pass with SHA-1 (RFC 8301)', async () => {
    const { signed, record } = await sign(plainMail(), 'relaxed/relaxed', 'rsa-sha1');
    expect(await verify(signed, record)).toMatchObject({ result: 'policy', reason: 'weak algorithm' });
  });
});
