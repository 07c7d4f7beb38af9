import { eurechat } from './eurechat/table.ts';
import { finger } from './finger/table.ts';
import { lmtp, lmtpTlsRequired } from './lmtp/table.ts';
import { pop3 } from './pop3/table.ts';
import { mailinator, smtp, smtpTlsRequired } from './smtp/table.ts';
import { diagram } from './wire/diagram.ts';

/** Every conversation that the daemon can hold, by name. */
const DIAGRAMS: ReadonlyMap<string, () => string> = new Map([
  ['smtp', () => diagram(smtp.table)],
  ['lmtp', () => diagram(lmtp.table)],
  ['smtp-tls-required', () => diagram(smtpTlsRequired.table)],
  ['lmtp-tls-required', () => diagram(lmtpTlsRequired.table)],
  ['pop3', () => diagram(pop3.table)],
  ['mailinator', () => diagram(mailinator.table)],
  ['finger', () => diagram(finger.table)],
  ['eurechat', () => diagram(eurechat.table)],
]);

export const PROTOCOL_NAMES: readonly string[] = [...DIAGRAMS.keys()];

/** The table of a protocol as a Mermaid state diagram, or undefined for a name that is none. */
export function diagramOf(name: string): string | undefined {
  return DIAGRAMS.get(name)?.();
}
