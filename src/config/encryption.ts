import type { ConfigProblem } from './error.ts';
import type { ListenAddress } from './listen-url.ts';
import type { Settings } from './settings.ts';

/** Finds what contradicts itself in the options about encryption. */
export function checkEncryption(
  { tls, tlsCerts, tlsKeys, profile }: Settings,
  listen: readonly ListenAddress[],
): ConfigProblem[] {
  const texts: string[] = [];
  if (tlsKeys.length > 0 && tlsKeys.length !== tlsCerts.length) {
    texts.push(
      `tls-key names ${files(tlsKeys)} and tls-cert ${files(tlsCerts)}; each certificate has its key, in the same order ` +
        '(none at all if the certificate files hold the keys)',
    );
  }
  const isRequired = listen.some((one) => one.protocol === 'smtp' && policyOf(one, tls) === 'required');
  if (profile === 'mailinator' && isRequired) {
    texts.push('tls is required and the profile mailinator knows no STARTTLS; use smtps, or another profile');
  }
  return texts.map((text) => ({ code: 'CONFIG_CONFLICT', text }));
}

/** What a listener that begins in clear text says to STARTTLS. What goes through a file stays on the machine. */
export function policyOf(address: ListenAddress, general: Settings['tls']): Settings['tls'] {
  return address.tls ?? (address.path === undefined ? general : 'off');
}

function files(paths: readonly string[]): string {
  return paths.length === 1 ? '1 file' : `${paths.length} files`;
}
