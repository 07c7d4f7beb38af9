import { createHash, randomBytes } from 'node:crypto';
import type { Grant } from './grant.ts';
import type { HttpAuthLimits } from './limits.ts';

/** No port and no path is part of a cookie's place, so the name should be nobody else's. */
const COOKIE = 'inboxd_session';

interface Session {
  readonly grant: Grant;
  readonly endsAt: number;
}

/**
 * Sessions of browsers, which cannot send a token with an EventSource, a WebSocket or an image.
 * Kept in memory only: after a restart the page asks for the token again.
 */
export class Sessions {
  readonly #limits: HttpAuthLimits;
  readonly #now: () => number;
  /** By the hash of the cookie, so that looking one up takes no longer the more of it is right; oldest first. */
  readonly #sessions = new Map<string, Session>();

  constructor(limits: HttpAuthLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Opens a session; gives the value of Set-Cookie. */
  open(grant: Grant): string {
    const secret = randomBytes(32).toString('base64url');
    const lasts = Math.min(this.#limits.sessionMs, (grant.expiresAt ?? Number.POSITIVE_INFINITY) - this.#now());
    this.#sessions.set(keyOf(secret), { grant, endsAt: this.#now() + lasts });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= this.#limits.sessions) break;
      this.#sessions.delete(oldest);
    }
    return setCookie(secret, Math.floor(lasts / 1000));
  }

  find(cookies: string | undefined): Grant | undefined {
    for (const secret of secretsIn(cookies)) {
      const session = this.#sessions.get(keyOf(secret));
      if (session !== undefined && session.endsAt > this.#now()) return session.grant;
    }
    return undefined;
  }

  /** Ends the session of a request; gives the value of Set-Cookie that makes the browser forget it. */
  close(cookies: string | undefined): string {
    for (const secret of secretsIn(cookies)) this.#sessions.delete(keyOf(secret));
    return setCookie('', 0);
  }
}

function setCookie(value: string, seconds: number): string {
  return `${COOKIE}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`;
}

function secretsIn(cookies: string | undefined): string[] {
  const pairs = (cookies ?? '').split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${COOKIE}=`)).map((pair) => pair.slice(COOKIE.length + 1));
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64');
}
