import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, runWell } from '../../support/run.ts';
import { freePort, type Mta, openFolder, startMta } from './relay.ts';

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

/** Postfix as a relay to inboxd and nowhere else. */
export async function startPostfix(postfix: string, inboxd: number, tls: 'none' | 'encrypt' = 'none'): Promise<Mta> {
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
