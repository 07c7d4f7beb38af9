import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithPeers } from '../../support/peers.ts';
import { run, runWell } from '../../support/run.ts';
import { MIXED_SET } from './mixed-set.ts';
import { freePort, linesWith, type Mta, openFolder, relaysUnchanged, startMta } from './relay.ts';

const MAIN_CF = (folder: string, inboxd: number, tls: 'none' | 'encrypt') => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = postfix.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
relayhost = [127.0.0.1]:${inboxd}
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = ${tls}
smtp_tls_loglevel = 1
smtpd_relay_restrictions = permit_mynetworks, reject
smtputf8_enable = yes
`;

/** The services a relay needs, none of them in a chroot. */
const MASTER_CF = (port: number) => `
127.0.0.1:${port} inet n - n - - smtpd
pickup   unix       n - n 60  1 pickup
cleanup  unix       n - n -   0 cleanup
qmgr     unix       n - n 300 1 qmgr
rewrite  unix       - - n -   - trivial-rewrite
proxymap unix       - - n -   - proxymap
bounce   unix       - - n -   0 bounce
defer    unix       - - n -   0 bounce
trace    unix       - - n -   0 bounce
smtp     unix       - - n -   - smtp
tlsmgr   unix       - - n 1000? 1 tlsmgr
relay    unix       - - n -   - smtp
error    unix       - - n -   - error
retry    unix       - - n -   - error
anvil    unix       - - n -   1 anvil
scache   unix       - - n -   1 scache
postlog  unix-dgram n - n -   1 postlogd
`;

async function startPostfix(postfix: string, inboxd: number, tls: 'none' | 'encrypt' = 'none'): Promise<Mta> {
  const folder = openFolder('postfix');
  const port = await freePort();
  const config = join(folder, 'config');
  for (const name of ['config', 'queue', 'data']) mkdirSync(join(folder, name));
  writeFileSync(join(config, 'main.cf'), MAIN_CF(folder, inboxd, tls));
  writeFileSync(join(config, 'master.cf'), MASTER_CF(port));
  const id = (flag: string) => runWell('id', [flag, 'postfix']).then(({ stdout }) => Number(stdout));
  chownSync(join(folder, 'data'), await id('-u'), await id('-g'));
  return startMta({
    program: postfix,
    args: ['-c', config, 'start-fg'],
    port,
    folder,
    logFiles: [join(folder, 'log')],
    end: () => run(postfix, ['-c', config, 'stop']),
  });
}

describeWithPeers('Postfix relaying', ['postfix'], ({ postfix }) => {
  const { mta } = relaysUnchanged({
    mails: MIXED_SET,
    start: ({ smtpPort }) => startPostfix(postfix, smtpPort),
  });

  it('has an end-of-data reply with our id for everything it sent', () => {
    const sent = [
      ...mta()
        .log()
        .matchAll(/status=sent \((.*)\)$/gm),
    ].map((match) => match[1]);
    expect(sent.length).toBe(MIXED_SET.reduce((sum, mail) => sum + mail.to.length, 0));
    for (const reply of sent) expect(reply).toMatch(/^250 2\.0\.0 OK queued as [0-9a-z]+$/);
    expect(linesWith(mta(), /warning|fatal|panic|status=(deferred|bounced)/)).toEqual([]);
  });
});

describeWithPeers('Postfix relaying with smtp_tls_security_level = encrypt', ['postfix'], ({ postfix }) => {
  const { mta, daemon } = relaysUnchanged({
    mails: MIXED_SET.slice(0, 6),
    start: ({ smtpPort }) => startPostfix(postfix, smtpPort, 'encrypt'),
  });

  it('encrypted everything it sent', () => {
    expect(linesWith(mta(), /Untrusted TLS connection established/).length).toBeGreaterThan(0);
    const messages = daemon().log.filter(({ msg }) => msg === 'message');
    expect(messages.length).toBeGreaterThan(0);
    for (const line of messages) {
      expect(line).toMatchObject({ tls: 'TLSv1.3', protocol: expect.stringMatching(/^(?:UTF8|E)SMTPS$/) });
    }
    expect(linesWith(mta(), /fatal|panic|status=(deferred|bounced)/)).toEqual([]);
  });
});
