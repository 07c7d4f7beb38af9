import { EVERYTHING, type Grant } from './grant.ts';

/** Who a client is, or what he is to be told. */
export type Identity =
  | { readonly ok: true; readonly grant: Grant }
  | { readonly ok: false; readonly status: 401 | 429 | 503; readonly why: string; readonly retrySeconds?: number };

/** The part of a request that says who sent it. */
export interface Asker {
  readonly headers: { readonly authorization?: string | undefined; readonly cookie?: string | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Decides who may use the HTTP side at all. */
export interface Access {
  /** False if everybody who can connect may do everything. */
  readonly isRequired: boolean;
  /** Reads Authorization, else the session cookie. */
  identify(request: Asker): Promise<Identity>;
  /** True while a grant given earlier still holds: neither expired nor revoked. For replies that last. */
  isGood(grant: Grant): boolean;
  /** Opens a session for a browser; gives the value of Set-Cookie. */
  openSession(grant: Grant): string;
  /** Ends the session of a request, if it has one; gives the value of Set-Cookie. */
  closeSession(request: Asker): string;
}

/** Lets everybody in. */
export const OPEN_ACCESS: Access = Object.freeze({
  isRequired: false,
  identify: async () => ({ ok: true as const, grant: EVERYTHING }),
  isGood: () => true,
  openSession: () => 'inboxd_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
  closeSession: () => 'inboxd_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict',
});
