/** Where programs that others wrote are found; `.ci/install-peers` installs all of them. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Program to the Debian package that has it. */
export const PACKAGES = {
  swaks: 'swaks',
  curl: 'curl',
  openssl: 'openssl',
  python3: 'python3',
  msmtp: 'msmtp',
  mutt: 'mutt',
  telnet: 'telnet',
  socat: 'socat',
  strace: 'strace',
  'systemd-notify': 'systemd',
  'systemd-analyze': 'systemd',
  'systemd-socket-activate': 'systemd',
  logger: 'bsdutils',
  logrotate: 'logrotate',
  postfix: 'postfix',
  postconf: 'postfix',
  'smtp-source': 'postfix',
  'smtp-sink': 'postfix',
  exim4: 'exim4-daemon-light',
  smtpd: 'opensmtpd',
  opendkim: 'opendkim',
  rspamd: 'rspamd',
  clamd: 'clamav-daemon',
  'clamav-milter': 'clamav-milter',
  'spamass-milter': 'spamass-milter',
  spamd: 'spamd',
  spamc: 'spamc',
  haproxy: 'haproxy',
  mpop: 'mpop',
  fetchmail: 'fetchmail',
  getmail: 'getmail6',
  finger: 'finger',
  ip: 'iproute2',
  ss: 'iproute2',
  nc: 'netcat-openbsd',
  chromium: 'chromium',
} as const;

export type PeerName = keyof typeof PACKAGES;

const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/opt/inboxd-peers/usr/sbin'];

/** The program's path, or undefined if it is not on this machine. */
export function findPeer(name: PeerName): string | undefined {
  return findProgram(name);
}

/** The path of a program that no package of Debian has, or undefined if it is not on this machine. */
export function findProgram(name: string): string | undefined {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {} // not here: the next folder
  }
  return undefined;
}
