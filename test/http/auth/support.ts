import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSecret } from '../../../src/auth/secret.ts';
import { createToken } from '../../../src/auth/token.ts';
import { formatAuthLine } from '../../../src/http/auth/auth-file.ts';
import type { Grant } from '../../../src/http/auth/grant.ts';

/** A file of http-auth that is gone after use. */
export class AuthFile implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'inboxd-auth-'));
  readonly path = join(this.#folder, 'http-auth');
  readonly #lines: string[] = [];

  constructor() {
    this.write('');
  }

  /** Writes the file so that its time of change is another one, whatever the clock of the file system can tell apart. */
  write(text: string): void {
    let before = 0;
    try {
      before = statSync(this.path).mtimeMs;
    } catch {
      before = 0; // there is none yet
    }
    writeFileSync(this.path, text);
    const next = new Date(Math.max(Date.now(), before + 2000));
    utimesSync(this.path, next, next);
  }

  /** Adds a token; gives it as its bearer has it. */
  async addToken(grant: Omit<Grant, 'name'>): Promise<string> {
    const { id, secret, text } = createToken();
    this.#add(formatAuthLine('token', id, await hashSecret(secret), grant));
    return text;
  }

  async addUser(name: string, password: string, grant: Omit<Grant, 'name'>): Promise<void> {
    this.#add(formatAuthLine('user', name, await hashSecret(password), grant));
  }

  /** Takes an entry out by the name in its line. */
  remove(name: string): void {
    const kept = this.#lines.filter((line) => !line.includes(` ${name} `));
    this.#lines.length = 0;
    this.#lines.push(...kept);
    this.write(`${this.#lines.join('\n')}\n`);
  }

  #add(line: string): void {
    this.#lines.push(line);
    this.write(`# for tests\n${this.#lines.join('\n')}\n`);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
export const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
