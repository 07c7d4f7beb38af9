import { DatabaseSync } from 'node:sqlite';

/**
 * What responders have to do, and have done: a small database of their own beside the store's.
 *
 * An answer must never go out twice, and a kill -9 must not lose one. Three commits see to that:
 * - `take` writes the place in the store's journal of events together with the jobs that came of it, so each mail becomes
 *   one job however often the daemon dies. A job is begun again after a crash, so an agent may see a mail twice, but no
 *   more than a few times: a mail that kills the daemon must not kill it for ever.
 * - `queue` removes the job, notes that this mail is answered (the primary key refuses a second time) and puts the answer
 *   in line, all or nothing.
 * - `handOver` marks a mail right before its last octets leave for the smarthost. Whoever dies then cannot know whether it
 *   arrived, and SMTP has no way to ask: such a mail is reported and not sent again. Anything before that is repeated.
 */

export type JobKind = 'answer' | 'forward';

/** A mail in an inbox for which something is to be done. */
export interface NewJob {
  readonly kind: JobKind;
  readonly message: string;
  readonly inbox: string;
  /** Who does it; jobs of one that is busy wait. */
  readonly worker: string;
  /** Waits until it is known who sent it. */
  readonly isPending: boolean;
}

export interface Job extends Omit<NewJob, 'isPending'> {
  readonly job: number;
  /** How often it was begun with, this time included. */
  readonly attempts: number;
}

/** A mail to send. */
export interface NewMail {
  readonly recipient: string;
  /** Undefined for the message itself, as it is forwarded. */
  readonly content: Uint8Array | undefined;
}

/** What may go out; times in milliseconds since 1970. */
export interface Bounds {
  readonly now: number;
  /** One answer to a sender from an inbox in this time; 0 is off. */
  readonly intervalMs: number;
  readonly perHour: number;
  readonly outgoingMails: number;
}

/** Why not: answered already, the sender has had an answer, everybody together has, or too many wait to leave. */
export type Excess = 'twice' | 'interval' | 'hour' | 'queue';

export interface OutgoingHead {
  readonly mail: number;
  readonly kind: JobKind;
  readonly message: string;
  readonly inbox: string;
  readonly recipient: string;
  readonly queuedAt: number;
  /** Tries that have failed. */
  readonly attempts: number;
}

export interface OutgoingMail extends OutgoingHead {
  readonly content: Uint8Array | undefined;
}

const SCHEMA = `
CREATE TABLE progress (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), event INTEGER NOT NULL) STRICT;
CREATE TABLE jobs (
  job        INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  message    TEXT NOT NULL,
  inbox      TEXT NOT NULL,
  worker     TEXT NOT NULL,
  is_pending INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  UNIQUE (kind, message, inbox)
) STRICT;
-- What went out, for a day: no mail is answered twice, no sender too often.
CREATE TABLE sent (
  kind    TEXT NOT NULL,
  message TEXT NOT NULL,
  inbox   TEXT NOT NULL,
  sender  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (kind, message, inbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_to ON sent (kind, sender, inbox, at);
CREATE INDEX sent_at ON sent (kind, at);
CREATE TABLE outgoing (
  mail      INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: it is part of names in the outbox
  kind      TEXT NOT NULL,
  message   TEXT NOT NULL,
  inbox     TEXT NOT NULL,
  recipient TEXT NOT NULL,
  content   BLOB,
  queued_at INTEGER NOT NULL,
  due_at    INTEGER NOT NULL,
  attempts  INTEGER NOT NULL DEFAULT 0,
  is_handed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outgoing_due ON outgoing (due_at);
`;

/** "inbr": marks the file as ours (PRAGMA application_id). */
const APPLICATION_ID = 0x696e6272;
const VERSION = 1;
const HOUR_MS = 3_600_000;
const SENT_MS = 25 * HOUR_MS;
const HEAD = 'mail, kind, message, inbox, recipient, queued_at AS queuedAt, attempts';

/** The database; every method is one transaction, on disk when it returns. */
export class Docket {
  readonly #database: DatabaseSync;
  /** Jobs that are being worked on. */
  readonly #begun = new Set<number>();

  /** @param path file, made if needed, or `:memory:` */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;');
    const { user_version: version = 0 } = this.#database.prepare('PRAGMA user_version').get() ?? {};
    const { application_id: application = 0 } = this.#database.prepare('PRAGMA application_id').get() ?? {};
    if (version === 0 && application === 0) {
      const marks = `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION};`;
      this.#database.exec(`BEGIN IMMEDIATE; ${SCHEMA} ${marks} COMMIT;`);
    } else if (application !== APPLICATION_ID) throw new Error('it is a database of another program');
    else if (version !== VERSION)
      throw new Error(`it is of version ${version}, and this inboxd knows version ${VERSION}`);
  }

  /** Takes up what the last run left: mails that were on their way when it died are given back, and gone. */
  start(): {
    readonly event: number | null;
    readonly pending: readonly string[];
    readonly lost: readonly OutgoingHead[];
  } {
    return this.#inOne(() => {
      const { event = null } = this.#database.prepare('SELECT event FROM progress').get() ?? {};
      const pending = this.#database.prepare('SELECT DISTINCT message FROM jobs WHERE is_pending = 1').all();
      const lost = this.#database.prepare(`SELECT ${HEAD} FROM outgoing WHERE is_handed = 1`).all();
      this.#database.exec('DELETE FROM outgoing WHERE is_handed = 1');
      return {
        event: event === null ? null : Number(event),
        pending: pending.map(({ message }) => String(message)),
        lost: lost as unknown as OutgoingHead[],
      };
    });
  }

  /**
   * Writes down how far the events of the store were read, and what came of them.
   * @param known messages of which it is known now who sent them
   * @returns jobs that can be begun, or are
   */
  take({
    event,
    jobs,
    known,
  }: {
    readonly event: number;
    readonly jobs: readonly NewJob[];
    readonly known: readonly string[];
  }): number {
    return this.#inOne(() => {
      const add = this.#database.prepare(
        'INSERT OR IGNORE INTO jobs (kind, message, inbox, worker, is_pending) VALUES (?, ?, ?, ?, ?)',
      );
      for (const { kind, message, inbox, worker, isPending } of jobs)
        add.run(kind, message, inbox, worker, Number(isPending));
      const wake = this.#database.prepare('UPDATE jobs SET is_pending = 0 WHERE message = ?');
      for (const message of known) wake.run(message);
      this.#database.prepare('INSERT OR REPLACE INTO progress VALUES (1, ?)').run(event);
      return this.#jobs();
    });
  }

  /** Begins with the oldest job that none of the busy would have to do. */
  begin(busy: readonly string[]): Job | undefined {
    return this.#inOne(() => {
      const row = this.#database
        .prepare(
          `SELECT job, kind, message, inbox, worker, attempts + 1 AS attempts FROM jobs WHERE is_pending = 0
           AND worker NOT IN (SELECT value FROM json_each(?)) AND job NOT IN (SELECT value FROM json_each(?))
           ORDER BY job LIMIT 1`,
        )
        .get(JSON.stringify(busy), JSON.stringify([...this.#begun]));
      if (!row) return undefined;
      this.#database.prepare('UPDATE jobs SET attempts = attempts + 1 WHERE job = ?').run(Number(row.job));
      this.#begun.add(Number(row.job));
      return row as unknown as Job;
    });
  }

  /** Leaves a job for the next run, as if it had not been begun. */
  putBack(job: number): void {
    this.#database.prepare('UPDATE jobs SET attempts = attempts - 1 WHERE job = ?').run(job);
    this.#begun.delete(job);
  }

  /** Is done with a job of which nothing comes. @returns jobs that are left */
  drop(job: number): number {
    this.#database.prepare('DELETE FROM jobs WHERE job = ?').run(job);
    this.#begun.delete(job);
    return this.#jobs();
  }

  /** Why nothing may go out for a job, if so. */
  excess({
    job,
    sender,
    bounds,
  }: {
    readonly job: Job;
    readonly sender: string;
    readonly bounds: Bounds;
  }): Excess | undefined {
    const { kind, message, inbox } = job;
    const { now, intervalMs, perHour, outgoingMails } = bounds;
    const count = (sql: string, ...values: (string | number)[]): number => this.#count(sql, ...values);
    if (
      count('SELECT count(*) AS n FROM sent WHERE kind = ? AND message = ? AND inbox = ?', kind, message, inbox) > 0
    ) {
      return 'twice';
    }
    const toSender =
      'SELECT count(*) AS n FROM sent WHERE kind = ? AND sender = ? AND inbox = ? AND at > ? AND at <= ?';
    if (kind === 'answer' && intervalMs > 0 && count(toSender, kind, sender, inbox, now - intervalMs, now) > 0) {
      return 'interval';
    }
    const toAll = 'SELECT count(*) AS n FROM sent WHERE kind = ? AND at > ? AND at <= ?';
    if (perHour > 0 && count(toAll, kind, now - HOUR_MS, now) >= perHour) return 'hour';
    return count('SELECT count(*) AS n FROM outgoing') >= outgoingMails ? 'queue' : undefined;
  }

  /** Is done with a job, and puts what came of it in line; or says why it may not go out. */
  queue({
    job,
    sender,
    mail,
    bounds,
  }: {
    readonly job: Job;
    readonly sender: string;
    readonly mail: NewMail;
    readonly bounds: Bounds;
  }): Excess | undefined {
    return this.#inOne(() => {
      const { kind, message, inbox } = job;
      const { now } = bounds;
      const excess = this.excess({ job, sender, bounds });
      this.#database.prepare('DELETE FROM jobs WHERE job = ?').run(job.job);
      this.#begun.delete(job.job);
      if (excess !== undefined) return excess;
      // what stands in the future was written before the clock was set back
      this.#database.prepare('DELETE FROM sent WHERE at < ? OR at > ?').run(now - SENT_MS, now);
      this.#database.prepare('INSERT INTO sent VALUES (?, ?, ?, ?, ?)').run(kind, message, inbox, sender, now);
      const sql =
        'INSERT INTO outgoing (kind, message, inbox, recipient, content, queued_at, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)';
      this.#database.prepare(sql).run(kind, message, inbox, mail.recipient, mail.content ?? null, now, now);
      return undefined;
    });
  }

  /** The mail that is to leave next, or when that will be; undefined if none waits. */
  due(now: number): { readonly mail: OutgoingMail } | { readonly at: number } | undefined {
    const row = this.#database
      .prepare(`SELECT ${HEAD}, content, due_at FROM outgoing WHERE is_handed = 0 ORDER BY due_at, mail LIMIT 1`)
      .get();
    if (!row) return undefined;
    const { due_at: at, content, ...head } = row;
    if (Number(at) > now) return { at: Number(at) };
    return { mail: { ...(head as unknown as OutgoingHead), content: (content as Uint8Array | null) ?? undefined } };
  }

  /** The last of it is about to leave: from here on it is never sent again. */
  handOver(mail: number): void {
    this.#database.prepare('UPDATE outgoing SET is_handed = 1 WHERE mail = ?').run(mail);
  }

  /** It was not taken, and may be tried again. */
  defer({ mail, dueAt }: { readonly mail: number; readonly dueAt: number }): void {
    const sql = 'UPDATE outgoing SET is_handed = 0, attempts = attempts + 1, due_at = ? WHERE mail = ?';
    this.#database.prepare(sql).run(dueAt, mail);
  }

  /** It is gone, one way or the other. */
  settle(mail: number): void {
    this.#database.prepare('DELETE FROM outgoing WHERE mail = ?').run(mail);
  }

  close(): void {
    this.#database.close();
  }

  /** Those that wait to be verified do not count: what ends their wait is read only while there is room for jobs. */
  #jobs(): number {
    return this.#count('SELECT count(*) AS n FROM jobs WHERE is_pending = 0');
  }

  #count(sql: string, ...values: (string | number)[]): number {
    return Number(this.#database.prepare(sql).get(...values)?.n);
  }

  #inOne<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
