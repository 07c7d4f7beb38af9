import type { Config } from '../config.ts';
import { encryptMail } from '../encryption.ts';
import { allows, covers } from '../http/auth/grant.ts';
import type { HttpAccess } from '../http-access.ts';
import { inboxNameFromText } from '../mail/inbox.ts';
import { POP3_LIMITS } from '../pop3/limits.ts';
import { Sizes } from '../pop3/maildrop.ts';
import { err } from '../pop3/replies.ts';
import { type Admission, type Doorkeeper, type Pop3Services, Session } from '../pop3/session.ts';
import { pop3 } from '../pop3/table.ts';
import { Connection } from '../wire/connection.ts';
import type { ListenerOptions } from '../wire/listener.ts';
import { isThisMachine } from '../wire/networks.ts';
import { type MakeDoor, machineDoor } from './door.ts';

const DAY_MS = 86_400_000;
/** Shared by all listeners of the process: what is stored never changes, and ids are unique. */
const sizes = new Sizes(POP3_LIMITS.rememberedSizes);

/** POP3: hands out what lies in an inbox. */
export const pop3Door: MakeDoor = async (address, parts) => {
  const { config, keep, report, guard, access, certificates } = parts;
  const { access: tls, starttls: stls } = encryptMail(address, config, certificates);
  const services: Pop3Services = {
    store: keep.store,
    hostname: config.hostname,
    sizes,
    limits: POP3_LIMITS,
    doorkeeper: keepDoors(config, access),
    report,
    stls,
    plaintext: config.authPlaintext,
    sleepers: guard.sleepers,
    ...expireOf(config),
  };
  const serve: ListenerOptions['serve'] = (peer, { address: from }) =>
    new Connection(peer, pop3, new Session(services, from), tls);
  const gate = guard.gate('pop3', { isSilent: tls?.implicit === true, say: turnAway });
  return machineDoor(address, parts, { gate, serve });
};

/** What a client that finds no place is told. */
function turnAway({ text }: { readonly text: string }): Buffer {
  return err(text, 'SYS/TEMP').bytes;
}

/** The tokens of `http-auth`, each for the inboxes of its scope; without them any secret, of this machine. */
function keepDoors({ naming }: Config, access: HttpAccess['access']): Doorkeeper {
  return {
    async admit(user, secret, address): Promise<Admission> {
      const inbox = inboxNameFromText(user, naming);
      if (!access.isRequired) {
        if (!isThisMachine(address)) return { ok: false, why: 'elsewhere' };
        if (inbox === undefined) return { ok: false, why: 'wrong' };
        return { ok: true, pass: { inbox, mayDelete: true, holds: () => true } };
      }
      const asker = { headers: { authorization: `Bearer ${secret}` }, socket: { remoteAddress: address } };
      const identity = await access.identify(asker);
      if (!identity.ok) return { ok: false, why: WHY[identity.status] };
      const { grant } = identity;
      if (inbox === undefined || !allows(grant, 'read') || !covers(grant, inbox)) return { ok: false, why: 'wrong' };
      return { ok: true, pass: { inbox, mayDelete: allows(grant, 'delete'), holds: () => access.isGood(grant) } };
    },
  };
}

const WHY = { 401: 'wrong', 429: 'blocked', 503: 'busy' } as const;

/** Only age can be promised: where the number or the octets of messages are bounded, the next one may push any out. */
function expireOf({ keepAgeMs, keepPerInbox, keepBytesPerInbox, keepBytes }: Config): Pick<Pop3Services, 'expire'> {
  if (keepPerInbox + keepBytesPerInbox + keepBytes > 0) return {};
  return { expire: keepAgeMs === 0 ? 'NEVER' : String(Math.floor(keepAgeMs / DAY_MS)) };
}
