import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../../support/peers.ts';
import { MIXED_SET } from './mixed-set.ts';
import { freePort, linesWith, type Mta, openFolder, relaysUnchanged, startMta } from './relay.ts';

const CONFIG = (port: number, inboxd: number) => `
listen on 127.0.0.1 port ${port} hostname opensmtpd.example
action "relay" relay host smtp://127.0.0.1:${inboxd} helo opensmtpd.example
match from any for any action "relay"
`;

/** It does not speak SMTPUTF8 or CHUNKING, and calls a quoted local part with a space in it a syntax error. */
const REFUSED_BY_OPENSMTPD = ['utf8-headers', 'quoted-local-part', 'without-last-newline'];

/**
 * Queue and control socket have paths compiled in. A mount namespace of its own gives this instance empty ones, so
 * that it neither meets nor harms an OpenSMTPD that the machine may run.
 */
const IN_ITS_OWN_FOLDERS = `
set -e
mount -t tmpfs -o mode=0711 tmpfs /var/spool/smtpd
mount -t tmpfs -o mode=0755 tmpfs /run
exec "$@"
`;

async function startOpensmtpd(smtpd: string, inboxd: number): Promise<Mta> {
  const folder = openFolder('opensmtpd');
  const port = await freePort();
  const config = join(folder, 'smtpd.conf');
  writeFileSync(config, CONFIG(port, inboxd), { mode: 0o600 });
  const args = ['--mount', 'sh', '-c', IN_ITS_OWN_FOLDERS, 'sh', smtpd, '-d', '-f', config];
  return startMta({ program: 'unshare', args, port, folder });
}

describeWithPeers('OpenSMTPD relaying', ['smtpd'], ({ smtpd }) => {
  const { mta } = relaysUnchanged({
    mails: MIXED_SET.filter((mail) => !REFUSED_BY_OPENSMTPD.includes(mail.name)),
    start: ({ smtpPort }) => startOpensmtpd(smtpd, smtpPort),
  });

  it('delivered all and was refused nothing', () => {
    // that the certificate is nobody's it says of every server it greets, and goes on
    expect(linesWith(mta(), /^(?!.*server-cert-check).*result="(?!Ok)/)).toEqual([]);
  });
});
