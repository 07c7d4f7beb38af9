import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { Reporter } from '../../mail/report.ts';
import type { Access, Asker, Identity } from './access.ts';
import { type AuthEntry, parseAuthFile, parseToken } from './auth-file.ts';
import { HttpError } from './errors.ts';
import { Failures } from './failures.ts';
import { type Grant, RIGHTS } from './grant.ts';
import { AUTH_LIMITS, type AuthLimits } from './limits.ts';
import { isSecret, NO_SECRET } from './secret.ts';
import { Sessions } from './sessions.ts';

export interface FileAccessOptions {
  readonly file: string;
  readonly report: Reporter;
  /** A token with all rights that is in no file, for commands of the machine's own user. */
  readonly localToken?: string;
  readonly limits?: Partial<AuthLimits>;
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
  readonly #report: Reporter;
  readonly #limits: AuthLimits;
  readonly #now: () => number;
  readonly #failures: Failures;
  readonly #sessions: Sessions;
  readonly #localToken: Buffer | undefined;
  readonly #localGrant: Grant = Object.freeze({ name: 'local', rights: RIGHTS });
  /** Credentials are remembered by a hash that means nothing outside of this process. */
  readonly #key = randomBytes(32);
  readonly #good = new Map<string, Grant>(); // least recently used first
  readonly #running = new Map<string, Promise<Identity>>();
  #tokens = new Map<string, AuthEntry>();
  #users = new Map<string, AuthEntry>();
  #grants = new Map<string, Grant>();
  #stamp = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #isBroken = false;
  #hashing = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ file, report, localToken, limits, now = Date.now }: FileAccessOptions) {
    this.#file = file;
    this.#report = report;
    this.#limits = { ...AUTH_LIMITS, ...limits };
    this.#now = now;
    this.#failures = new Failures(this.#limits, now);
    this.#sessions = new Sessions(this.#limits, now);
    this.#localToken = localToken === undefined ? undefined : this.#digest(localToken);
  }

  async load(): Promise<void> {
    const text = await this.#read();
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
    await this.#refresh();
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
    const key = this.#digest(authorization).toString('base64');
    const grant = this.#good.get(key);
    if (grant !== undefined) {
      this.#good.delete(key);
      this.#good.set(key, grant);
      return { ok: true, grant };
    }
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
    if (!(await this.#place())) return BUSY;
    let isRight: boolean;
    try {
      isRight = await isSecret(credentials.secret, entry?.secret ?? NO_SECRET);
    } finally {
      this.#hashing--;
      this.#waiting.shift()?.();
    }
    if (!isRight || entry === undefined) return BAD_CREDENTIALS;
    this.#failures.forgive(address);
    // the file may have been read anew meanwhile
    if (this.#current.has(entry.grant)) this.#remember(key, entry.grant);
    return { ok: true, grant: entry.grant };
  }

  /** Waits for its turn to hash; false if too many do. */
  async #place(): Promise<boolean> {
    if (this.#hashing >= this.#limits.hashesAtOnce) {
      if (this.#waiting.length >= this.#limits.waitingHashes) return false;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#hashing++;
    return true;
  }

  #remember(key: string, grant: Grant): void {
    this.#good.set(key, grant);
    for (const oldest of this.#good.keys()) {
      if (this.#good.size <= this.#limits.rememberedCredentials) break;
      this.#good.delete(oldest);
    }
  }

  #isLocal(token: string): boolean {
    return this.#localToken !== undefined && timingSafeEqual(this.#digest(token), this.#localToken);
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }

  /** Reads the file again if it has changed since. */
  async #refresh(): Promise<void> {
    const now = this.#now();
    if (now - this.#checkedAt < this.#limits.fileCheckMs) return;
    this.#checkedAt = now;
    try {
      if ((await stampOf(this.#file)) === this.#stamp) return;
      await this.load();
      this.#isBroken = false;
    } catch (error) {
      if (!this.#isBroken) this.#report({ type: 'crash', where: 'http auth', error });
      this.#isBroken = true;
    }
  }

  async #read(): Promise<string> {
    try {
      this.#stamp = await stampOf(this.#file);
      await using file = await open(this.#file);
      const { size } = await file.stat();
      if (size > this.#limits.fileBytes) throw new Error(`it is larger than ${this.#limits.fileBytes} bytes`);
      return await file.readFile('utf8');
    } catch (error) {
      throw new HttpError('AUTH_UNUSABLE', `cannot read ${this.#file} of http-auth: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }
}

async function stampOf(file: string): Promise<string> {
  const { ino, size, mtimeMs, ctimeMs } = await stat(file);
  return [ino, size, mtimeMs, ctimeMs].join(' ');
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
