import { formatListenUrl, isEncrypted, type ListenAddress } from '../config/listen-url.ts';
import type { Config } from '../config.ts';
import { encryptMail } from '../encryption.ts';
import { StartError } from '../errors.ts';
import type { Pass } from '../eurechat/directory.ts';
import { EURECHAT_LIMITS } from '../eurechat/limits.ts';
import { parseUser } from '../eurechat/names.ts';
import { err } from '../eurechat/replies.ts';
import { type Admission, type Doorkeeper, type EurechatServices, Session } from '../eurechat/session.ts';
import { eurechat } from '../eurechat/table.ts';
import { allows, covers, type Grant } from '../http/auth/grant.ts';
import type { HttpAccess } from '../http-access.ts';
import { matchesGlob } from '../mail/glob.ts';
import type { Naming } from '../mail/inbox.ts';
import { Connection } from '../wire/connection.ts';
import type { ListenerOptions } from '../wire/listener.ts';
import { isThisMachine } from '../wire/networks.ts';
import { type MakeDoor, machineDoor } from './door.ts';

/** eurechat: tells terminals of new mail. */
export const eurechatDoor: MakeDoor = async (address, parts) => {
  const { config, report, guard, access, certificates, directory } = parts;
  requireNoticesHere(address, access);
  const { access: tls } = encryptMail(address, config, certificates);
  const services: EurechatServices = {
    directory,
    limits: EURECHAT_LIMITS,
    doorkeeper: keepDoors(config, access),
    report,
    sleepers: guard.sleepers,
  };
  const serve: ListenerOptions['serve'] = (peer, { address: from }) =>
    new Connection(peer, eurechat, new Session(services, from), tls);
  const say = ({ text }: { readonly text: string }): Buffer => err(text).bytes;
  const gate = guard.gate('eurechat', { isSilent: tls?.implicit === true, say });
  return machineDoor(address, parts, { gate, serve });
};

/**
 * Other machines can log in over TLS alone, and where there are tokens to show.
 * @throws StartError EURECHAT_OPEN for a listener that would be of no use to them
 */
function requireNoticesHere(address: ListenAddress, access: HttpAccess['access']): void {
  const { path, host, protocol } = address;
  if (path !== undefined || host === '::1' || host === 'localhost' || host.startsWith('127.')) return;
  if (isEncrypted(protocol) && access.isRequired) return;
  const text = `${formatListenUrl(address)} would take passwords of other machines: that wants eurechats:// and --http-auth with a file of tokens ("inboxd token create" makes one)`;
  throw new StartError('EURECHAT_OPEN', text);
}

/** The tokens of `http-auth`, each for the inboxes of its scope; without them any secret, of this machine. */
function keepDoors({ naming }: Config, access: HttpAccess['access']): Doorkeeper {
  return {
    nameOf: (text) => parseUser(text, naming),
    async admit(user, secret, address): Promise<Admission> {
      if (!access.isRequired) {
        if (!isThisMachine(address)) return { ok: false, why: 'elsewhere' };
        return { ok: true, pass: { user, sees: () => true, knows: () => true, holds: () => true } };
      }
      const asker = { headers: { authorization: `Bearer ${secret}` }, socket: { remoteAddress: address } };
      const identity = await access.identify(asker);
      if (!identity.ok) return { ok: false, why: WHY[identity.status] };
      const { grant } = identity;
      if (!allows(grant, 'read') || !coversUser(grant, user, naming)) return { ok: false, why: 'wrong' };
      return { ok: true, pass: new TokenPass(user, grant, () => access.isGood(grant)) };
    },
  };
}

const WHY = { 401: 'wrong', 429: 'blocked', 503: 'busy' } as const;

/** What a token lets its bearer have as one user. */
class TokenPass implements Pass {
  readonly user: string;
  readonly holds: () => boolean;
  readonly #grant: Grant;

  constructor(user: string, grant: Grant, holds: () => boolean) {
    this.user = user;
    this.#grant = grant;
    this.holds = holds;
  }

  sees(inbox: string): boolean {
    return covers(this.#grant, inbox);
  }

  knows(other: Pass): boolean {
    return covers(this.#grant, other.user) || (other instanceof TokenPass && other.#grant === this.#grant);
  }
}

/**
 * True if a grant covers inboxes of a user. A name without a domain, where inboxes have one, stands for that user at the
 * domains that the grant covers: what comes for him elsewhere is not told.
 */
function coversUser(grant: Grant, user: string, naming: Naming): boolean {
  if (covers(grant, user)) return true;
  if (naming !== 'full' || user.includes('@')) return false;
  return grant.scope!.some((glob) => matchesGlob(glob.split('@', 1)[0]!, user));
}
