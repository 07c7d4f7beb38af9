import type { Authenticator, Credentials, Judgement } from '../mail/authenticator.ts';
import type { Reporter } from '../mail/report.ts';
import { UsersError } from './errors.ts';
import { Failures } from './failures.ts';
import { Hasher } from './hasher.ts';
import { AUTH_LIMITS, type AuthLimits } from './limits.ts';
import { Remembered } from './remembered.ts';
import { parseToken } from './token.ts';
import { normalisePassword, normaliseUser, parseUsersFile, type UserEntry } from './users-file.ts';
import { WatchedFile } from './watched-file.ts';

export interface UsersOptions {
  readonly file: string;
  readonly report: Reporter;
  readonly limits?: Partial<AuthLimits>;
  /** Computes hashes; one for the whole process keeps their number down. */
  readonly hasher?: Hasher;
  readonly now?: () => number;
}

/**
 * Makes the authenticator that a file of users describes. A changed file is read again within a second; while it cannot
 * be read, what it said last holds, and the report says so.
 * @throws UsersError
 */
export async function createUsers(options: UsersOptions): Promise<Authenticator> {
  const users = new Users(options);
  await users.load();
  return users;
}

const WRONG: Judgement = Object.freeze({ ok: false, why: 'wrong' });
const BLOCKED: Judgement = Object.freeze({ ok: false, why: 'blocked' });
const BUSY: Judgement = Object.freeze({ ok: false, why: 'busy' });

class Users implements Authenticator {
  readonly #file: string;
  readonly #now: () => number;
  readonly #failures: Failures;
  readonly #hasher: Hasher;
  readonly #good: Remembered<UserEntry>;
  readonly #watched: WatchedFile;
  /** The same credentials in many sessions at once are one attempt and one hash. */
  readonly #running = new Map<string, Promise<Judgement>>();
  #users = new Map<string, UserEntry>();
  #tokens = new Map<string, UserEntry>();

  constructor({ file, report, limits: some, hasher, now = Date.now }: UsersOptions) {
    const limits = { ...AUTH_LIMITS, ...some };
    this.#file = file;
    this.#now = now;
    this.#failures = new Failures(limits, now);
    this.#hasher = hasher ?? new Hasher(limits);
    this.#good = new Remembered(limits.rememberedCredentials);
    this.#watched = new WatchedFile({
      file,
      limits,
      now,
      take: (text) => this.#take(text),
      onTrouble: (error) => report({ type: 'crash', where: 'auth', error: this.#unusable(error) }),
    });
  }

  async load(): Promise<void> {
    await this.#watched.load().catch((error: unknown) => {
      throw this.#unusable(error);
    });
  }

  #take(text: string): void {
    const parsed = parseUsersFile(text);
    if (!parsed.ok) throw new UsersError(`${this.#file}:${parsed.line}: ${parsed.why}`);
    this.#users = new Map();
    this.#tokens = new Map();
    this.#good.clear();
    for (const entry of parsed.entries) {
      if (entry.kind === 'user') this.#users.set(entry.user, entry);
      else this.#tokens.set(entry.id, entry);
    }
  }

  async judge(credentials: Credentials, address: string): Promise<Judgement> {
    await this.#watched.refresh();
    const { kind, user, secret } = credentials;
    const key = this.#good.keyOf(JSON.stringify([kind, user, secret]));
    const known = this.#good.get(key);
    if (known && this.#holds(known)) return { ok: true, user: known.user };
    const running = this.#running.get(key);
    if (running) return running;
    const attempt = this.#attempt(credentials, address, key).finally(() => this.#running.delete(key));
    this.#running.set(key, attempt);
    return attempt;
  }

  async #attempt({ kind, user: said, secret }: Credentials, address: string, key: string): Promise<Judgement> {
    if (this.#failures.attempt(address) > 0) return BLOCKED;
    const name = normaliseUser(said);
    const token = kind === 'token' ? parseToken(secret) : undefined;
    const entry = kind === 'token' ? this.#tokens.get(token?.id ?? '') : this.#users.get(name);
    const shown = kind === 'token' ? (token?.secret ?? secret) : normalisePassword(secret);
    const isRight = await this.#hasher.isRight(shown, entry?.secret);
    if (isRight === undefined) {
      this.#failures.forgive(address);
      return BUSY;
    }
    const isTheirs = kind === 'password' || name === '' || name === entry?.user;
    if (!isRight || entry === undefined || !isTheirs || !this.#holds(entry)) {
      return this.#users.has(name) ? { ok: false, why: 'wrong', user: name } : WRONG;
    }
    this.#failures.forgive(address);
    // the file may have been read anew meanwhile
    if ((kind === 'token' ? this.#tokens.get(entry.id) : this.#users.get(entry.user)) === entry) {
      this.#good.set(key, entry);
    }
    return { ok: true, user: entry.user };
  }

  #holds({ expiresAt }: UserEntry): boolean {
    return expiresAt === undefined || expiresAt > this.#now();
  }

  #unusable(error: unknown): UsersError {
    if (error instanceof UsersError) return error;
    return new UsersError(`cannot read ${this.#file} of auth: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file; "inboxd user add" makes it';
  return code === 'EACCES' ? 'permission denied' : message;
}
