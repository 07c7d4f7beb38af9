import { readFileSync, realpathSync } from 'node:fs';
import { NODE_FLAGS } from '../system/heaps.ts';
import { EXIT } from './exit-codes.ts';
import { complain } from './output.ts';

/** Files for those who run inboxd as a service, by the name that `inboxd print` knows them by. */
export const PACKAGED: Readonly<Record<string, { readonly file: string; readonly what: string }>> = Object.freeze({
  'systemd-service': { file: 'inboxd.service', what: 'unit of systemd, hardened' },
  'systemd-socket': { file: 'inboxd.socket', what: 'unit of systemd that binds port 25' },
  dockerfile: { file: 'Dockerfile', what: 'container without root' },
  logrotate: { file: 'inboxd.logrotate', what: 'rotation of the log file' },
  grafana: { file: 'grafana.json', what: 'dashboard of /metrics' },
});

/** `inboxd print`: writes a file out, with the paths of this installation in it. */
export function print(name: string): number {
  const packaged = Object.hasOwn(PACKAGED, name) ? PACKAGED[name] : undefined;
  if (packaged === undefined) {
    complain(`there is no file ${JSON.stringify(name)}; there are ${Object.keys(PACKAGED).join(', ')}`);
    return EXIT.NOTHING;
  }
  const text = readFileSync(new URL(`../packaging/${packaged.file}`, import.meta.url), 'utf8');
  process.stdout.write(
    text.replaceAll('@EXEC@', [process.execPath, ...NODE_FLAGS, realpathSync(process.argv[1]!)].join(' ')),
  );
  return EXIT.OK;
}
