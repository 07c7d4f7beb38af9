/** What a client offers as proof of who it is, whichever mechanism carried it (RFC 4954, RFC 7628). */
export interface Credentials {
  readonly kind: 'password' | 'token';
  /** Who the client says it is; '' where it leaves that to its token. */
  readonly user: string;
  readonly secret: string;
}

/** What came of credentials. */
export type Judgement =
  | { readonly ok: true; readonly user: string }
  | {
      readonly ok: false;
      /** `wrong`; `blocked`, as too many were wrong before; `busy`, so that nobody can say now. */
      readonly why: 'wrong' | 'blocked' | 'busy';
      /** The user, if there is one of that name; what else a client sent as a name may be a mistyped password. */
      readonly user?: string;
    };

/** Decides who may log in. Never throws or rejects for what a client sent; takes as long for unknown users as for wrong secrets. */
export interface Authenticator {
  /** @param address of the client, whose failures are counted */
  judge(credentials: Credentials, address: string): Judgement | Promise<Judgement>;
}
