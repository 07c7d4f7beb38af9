import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWell } from '../../support/run.ts';
import { freePort, type Mta, openFolder, startMta } from './relay.ts';

const CONFIG = (exim: string, folder: string, port: number, inboxd: number, chunking: string, tls: '' | '*') => `
primary_hostname = exim.example
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/pid
exim_path = ${exim}
exim_user = Debian-exim
exim_group = Debian-exim
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
smtp_accept_queue_per_connection = 0
acl_smtp_rcpt = take
keep_environment =
host_lookup =
log_selector = +all
begin acl
take:
  accept
begin routers
to_inboxd:
  driver = manualroute
  route_list = * 127.0.0.1::${inboxd}
  self = send
  transport = inboxd
begin transports
inboxd:
  driver = smtp
  allow_localhost
  hosts_${tls === '' ? 'avoid' : 'require'}_tls = *
  tls_verify_hosts = :
  tls_try_verify_hosts = :
  hosts_try_chunking = ${chunking}
begin retry
* * F,1h,1s
`;

/** Exim as a relay to inboxd and nowhere else. */
export async function startExim(exim: string, inboxd: number, chunking: '*' | '', tls: '' | '*' = ''): Promise<Mta> {
  const folder = openFolder('exim');
  const port = await freePort();
  const config = join(folder, 'exim.conf');
  writeFileSync(config, CONFIG(exim, folder, port, inboxd, chunking, tls));
  const id = (flag: string) => runWell('id', [flag, 'Debian-exim']).then(({ stdout }) => Number(stdout));
  for (const name of ['spool', 'log']) {
    mkdirSync(join(folder, name));
    chownSync(join(folder, name), await id('-u'), await id('-g'));
  }
  const log = join(folder, 'log', 'mainlog');
  return startMta({ program: exim, args: ['-C', config, '-bdf'], port, folder, logFiles: [log] });
}
