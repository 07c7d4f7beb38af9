import { timingSafeEqual } from 'node:crypto';
import { Failures } from '../../auth/failures.ts';
import { Hasher } from '../../auth/hasher.ts';
import { Remembered } from '../../auth/remembered.ts';
import { parseToken } from '../../auth/token.ts';
import { WatchedFile } from '../../auth/watched-file.ts';
import type { Reporter } from '../../mail/report.ts';
import type { Access, Asker, Identity } from './access.ts';
import { type AuthEntry, parseAuthFile } from './auth-file.ts';
import { HttpError } from './errors.ts';
import { type Grant, RIGHTS } from './grant.ts';
import { HTTP_AUTH_LIMITS, type HttpAuthLimits } from './limits.ts';
import { Sessions } from './sessions.ts';

export interface FileAccessOptions {
  readonly file: string;
  readonly report: Reporter;
  /** A token with all rights that is in no file, for commands of the machine's own user. */
  readonly localToken?: string;
  readonly limits?: Partial<HttpAuthLimits>;
  /** Computes hashes; one for the whole process keeps their number down. */
  readonly hasher?: Hasher;
  readonly now?: () => number;
}

/**
 * Makes the access that the file of `http-auth` describes. A changed file is read again within a second; while it cannot be
 * read, what it said last holds, and the report says so. What is revoked is gone from sessions and open streams too.
 * @throws HttpError AUTH_UNUSABLE
 */
export async function createFileAccess(options: FileAccessOptions): Promise<Access> {
  const access = new FileAccess(options);
  await access.load();
  return access;
}

const BAD_CREDENTIALS: Identity = Object.freeze({ ok: false, status: 401, why: 'The credentials are not valid' });
const NO_CREDENTIALS: Identity = Object.freeze({ ok: false, status: 401, why: 'Credentials are missing' });
const EXPIRED: Identity = Object.freeze({ ok: false, status: 401, why: 'The token has expired' });
const BUSY: Identity = Object.freeze({ ok: false, status: 503, why: 'Too many logins at once', retrySeconds: 1 });

class FileAccess implements Access {
  readonly isRequired = true;
  readonly #file: string;
  readonly #limits: HttpAuthLimits;
  readonly #now: () => number;
  readonly #failures: Failures;
  readonly #sessions: Sessions;
  readonly #localToken: string | undefined;
  readonly #localGrant: Grant = Object.freeze({ name: 'local', rights: RIGHTS });
  readonly #good: Remembered<Grant>;
  readonly #hasher: Hasher;
  readonly #watched: WatchedFile;
  readonly #running = new Map<string, Promise<Identity>>();
  #tokens = new Map<string, AuthEntry>();
  #users = new Map<string, AuthEntry>();
  #grants = new Map<string, Grant>();

  constructor({ file, report, localToken, limits, hasher, now = Date.now }: FileAccessOptions) {
    this.#file = file;
    this.#limits = { ...HTTP_AUTH_LIMITS, ...limits };
    this.#now = now;
    this.#failures = new Failures(this.#limits, now);
    this.#sessions = new Sessions(this.#limits, now);
    this.#good = new Remembered(this.#limits.rememberedCredentials);
    this.#hasher = hasher ?? new Hasher(this.#limits);
    this.#localToken = localToken === undefined ? undefined : this.#good.keyOf(localToken);
    this.#watched = new WatchedFile({
      file,
      limits: this.#limits,
      now,
      take: (text) => this.#take(text),
      onTrouble: (error) => report({ type: 'crash', where: 'http auth', error: this.#unusable(error) }),
    });
  }

  async load(): Promise<void> {
    await this.#watched.load().catch((error: unknown) => {
      throw this.#unusable(error);
    });
  }

  #take(text: string): void {
    const parsed = parseAuthFile(text);
    if (!parsed.ok) throw new HttpError('AUTH_UNUSABLE', `${this.#file}:${parsed.line}: ${parsed.why}`);
    const known = this.#grants;
    this.#grants = new Map();
    this.#tokens = new Map();
    this.#users = new Map();
    this.#good.clear();
    for (const entry of parsed.entries) {
      // an entry that did not change keeps its grant, and with it its sessions and streams
      const mark = JSON.stringify([entry.kind, entry.grant, entry.secret.hash.toString('base64')]);
      const grant = known.get(mark) ?? entry.grant;
      this.#grants.set(mark, grant);
      (entry.kind === 'token' ? this.#tokens : this.#users).set(entry.name, { ...entry, grant });
    }
    this.#current = new Set([...this.#grants.values(), this.#localGrant]);
  }
  #current: ReadonlySet<Grant> = new Set();

  async identify(request: Asker): Promise<Identity> {
    await this.#watched.refresh();
    const { authorization, cookie } = request.headers;
    const identity = await this.#identify(authorization, cookie, request.socket.remoteAddress ?? 'local');
    if (!identity.ok || this.isGood(identity.grant)) return identity;
    return this.#current.has(identity.grant) ? EXPIRED : BAD_CREDENTIALS;
  }

  isGood(grant: Grant): boolean {
    return this.#current.has(grant) && (grant.expiresAt === undefined || grant.expiresAt > this.#now());
  }

  openSession(grant: Grant): string {
    return this.#sessions.open(grant);
  }

  closeSession(request: Asker): string {
    return this.#sessions.close(request.headers.cookie);
  }

  async #identify(authorization: string | undefined, cookies: string | undefined, address: string): Promise<Identity> {
    if (authorization === undefined) {
      const grant = this.#sessions.find(cookies);
      return grant === undefined ? NO_CREDENTIALS : { ok: true, grant };
    }
    const key = this.#good.keyOf(authorization);
    const grant = this.#good.get(key);
    if (grant !== undefined) return { ok: true, grant };
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const check = this.#check(authorization, key, address).finally(() => this.#running.delete(key));
    this.#running.set(key, check);
    return check;
  }

  async #check(authorization: string, key: string, address: string): Promise<Identity> {
    const wait = this.#failures.attempt(address);
    if (wait > 0) {
      return { ok: false, status: 429, why: 'Too many failed attempts', retrySeconds: Math.ceil(wait / 1000) };
    }
    const credentials = readCredentials(authorization);
    if (credentials === undefined) return BAD_CREDENTIALS;
    if (credentials.kind === 'token' && this.#isLocal(credentials.whole)) {
      this.#failures.forgive(address);
      return { ok: true, grant: this.#localGrant };
    }
    const entry = (credentials.kind === 'token' ? this.#tokens : this.#users).get(credentials.name);
    const isRight = await this.#hasher.isRight(credentials.secret, entry?.secret);
    if (isRight === undefined) return BUSY;
    if (!isRight || entry === undefined) return BAD_CREDENTIALS;
    this.#failures.forgive(address);
    // the file may have been read anew meanwhile
    if (this.#current.has(entry.grant)) this.#good.set(key, entry.grant);
    return { ok: true, grant: entry.grant };
  }

  #isLocal(token: string): boolean {
    if (this.#localToken === undefined) return false;
    return timingSafeEqual(Buffer.from(this.#good.keyOf(token)), Buffer.from(this.#localToken));
  }

  #unusable(error: unknown): HttpError {
    if (error instanceof HttpError) return error;
    return new HttpError('AUTH_UNUSABLE', `cannot read ${this.#file} of http-auth: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file; "inboxd token create" makes it';
  return code === 'EACCES' ? 'permission denied' : message;
}

type Credentials =
  | { readonly kind: 'token'; readonly name: string; readonly secret: string; readonly whole: string }
  | { readonly kind: 'user'; readonly name: string; readonly secret: string };

const CREDENTIAL_CHARACTERS = 1_024;

/**
 * Reads an Authorization field: Bearer with a token, or Basic with name and password (RFC 7617, UTF-8). A token also
 * counts as the password of any Basic user, since many clients can do nothing else.
 */
function readCredentials(authorization: string): Credentials | undefined {
  if (authorization.length > CREDENTIAL_CHARACTERS) return undefined;
  const space = authorization.indexOf(' ');
  const scheme = authorization.slice(0, space).toLowerCase();
  const rest = authorization.slice(space + 1).trim();
  if (scheme === 'bearer') return tokenCredentials(rest);
  if (scheme !== 'basic') return undefined;
  const decoded = Buffer.from(rest, 'base64').toString();
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  const secret = decoded.slice(colon + 1);
  return tokenCredentials(secret) ?? { kind: 'user', name: decoded.slice(0, colon), secret };
}

function tokenCredentials(whole: string): Credentials | undefined {
  const token = parseToken(whole);
  return token && { kind: 'token', name: token.id, secret: token.secret, whole };
}
