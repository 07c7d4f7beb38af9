import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../errors.ts';

/** "inbx": marks the file as ours (PRAGMA application_id). */
const APPLICATION_ID = 0x696e6278;

/** Entry i takes a database of version i to version i + 1. Entries never change once released; new ones are added. */
const MIGRATIONS: readonly string[] = [
  `
  -- A message; what a list shows, then what only its own page shows. seq is the order of arrival at this store.
  CREATE TABLE messages (
    seq               INTEGER PRIMARY KEY,
    id                TEXT NOT NULL,
    received_at       INTEGER NOT NULL, -- milliseconds since 1970
    bytes             INTEGER NOT NULL,
    is_read           INTEGER NOT NULL DEFAULT 0,
    has_bare_newlines INTEGER NOT NULL,
    file              TEXT,             -- name below contents/, or null when the content is in the table
    message_id        TEXT NOT NULL,
    subject           TEXT NOT NULL,
    sender            TEXT NOT NULL,    -- address lists: see address-text.ts
    recipients        TEXT NOT NULL,
    cc                TEXT NOT NULL,
    bcc               TEXT NOT NULL,
    reply_to          TEXT NOT NULL,
    envelope          TEXT NOT NULL,    -- reverse-path and forward-paths, joined
    tags              TEXT NOT NULL DEFAULT '',
    facts             TEXT NOT NULL     -- JSON: see facts.ts
  ) STRICT;
  CREATE UNIQUE INDEX messages_by_id ON messages (id);
  CREATE INDEX messages_by_time ON messages (received_at);
  CREATE INDEX messages_with_file ON messages (file) WHERE file IS NOT NULL;

  -- Apart from the messages, so that lists and searches do not read them.
  CREATE TABLE contents (seq INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;

  -- What parsing the whole mail gave; a message without a row waits for it.
  CREATE TABLE texts (
    seq         INTEGER PRIMARY KEY,
    snippet     TEXT NOT NULL,
    attachments INTEGER NOT NULL,
    text        TEXT NOT NULL           -- folded as words.ts folds
  ) STRICT;

  CREATE TABLE inboxes (
    inbox    INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    messages INTEGER NOT NULL,
    unread   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    newest   INTEGER NOT NULL           -- seq
  ) STRICT;
  CREATE UNIQUE INDEX inboxes_by_name ON inboxes (name);

  CREATE TABLE placements (inbox INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (inbox, seq)) STRICT, WITHOUT ROWID;
  CREATE INDEX placements_by_message ON placements (seq);

  CREATE TABLE totals (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    messages   INTEGER NOT NULL,
    unread     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    indexed_to INTEGER NOT NULL         -- every message up to this seq has its row in texts
  ) STRICT;
  INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0);
  `,
  `
  ALTER TABLE messages ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_pinned ON messages (seq) WHERE is_pinned = 1;
  ALTER TABLE inboxes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE totals ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

  -- The tags of messages once more, to be found by; messages.tags is what lists show.
  CREATE TABLE message_tags (
    folded TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    tag    TEXT NOT NULL,
    PRIMARY KEY (folded, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX message_tags_by_message ON message_tags (seq);

  -- What happened, a row for each transaction, a bounded number of the newest. The newest of all always stays, so that
  -- no id is used twice.
  CREATE TABLE events (
    last  INTEGER PRIMARY KEY,          -- ids of the events are first to last
    first INTEGER NOT NULL,
    at    INTEGER NOT NULL,             -- milliseconds since 1970
    heads TEXT NOT NULL                 -- JSON: see journal.ts
  ) STRICT;

  -- Parsing finds more than it did: all mail is parsed again.
  DROP TABLE texts;
  CREATE TABLE texts (
    seq         INTEGER PRIMARY KEY,
    snippet     TEXT NOT NULL,
    attachments INTEGER NOT NULL,
    inline      INTEGER NOT NULL,
    file_names  TEXT NOT NULL,          -- joined
    text        TEXT NOT NULL           -- folded as words.ts folds
  ) STRICT;
  CREATE VIRTUAL TABLE search USING fts5 (                -- see search-index.ts
    sender, recipients, cc, bcc, reply_to, envelope, subject, message_id, header_names, header_values, file_names, body,
    starts, marks, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  UPDATE totals SET indexed_to = 0;
  `,
  `
  -- Who really sent it: JSON as mail/verification.ts says, or null when nobody asked.
  ALTER TABLE messages ADD COLUMN verification TEXT;
  ALTER TABLE messages ADD COLUMN is_pending INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_pending ON messages (seq) WHERE is_pending = 1;
  `,
  `
  -- Who logged in to hand it in, or ''.
  ALTER TABLE messages ADD COLUMN login TEXT NOT NULL DEFAULT '';
  UPDATE messages SET login = coalesce(json_extract(facts, '$.client.login.user'),
    (SELECT json_extract(value, '$[1]') FROM json_each(facts, '$.fromParams')
     WHERE json_extract(value, '$[0]') = 'AUTH' AND json_type(value, '$[1]') = 'text'), '')
  WHERE json_type(facts, '$.client.login') IS NOT NULL OR json_extract(facts, '$.protocol') = 'HTTP';

  -- Most mail is never marked read: what is unread is counted as all but these.
  CREATE INDEX messages_read ON messages (seq) WHERE is_read = 1;
  -- Grows when messages go or change; while it stays, only newer ones can change what a search counts.
  ALTER TABLE totals ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

  -- The index holds beginnings of words in another way: all mail is indexed again.
  DELETE FROM texts;
  DROP TABLE search;
  CREATE VIRTUAL TABLE search USING fts5 (                -- see search-index.ts
    sender, recipients, cc, bcc, reply_to, envelope, subject, message_id, header_names, header_values, file_names, body,
    starts, marks, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  UPDATE totals SET indexed_to = 0;
  `,
  `
  -- Frames of the intake log up to this number have their messages in the tables.
  ALTER TABLE totals ADD COLUMN logged_to INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Why a message is kept from its readers' eyes, or null.
  ALTER TABLE messages ADD COLUMN quarantine TEXT;
  CREATE INDEX messages_quarantined ON messages (seq) WHERE quarantine IS NOT NULL;

  -- What came, of messages whose content a filter has changed: messages, contents and texts are of the changed one.
  CREATE TABLE received_contents (
    seq     INTEGER PRIMARY KEY,
    bytes   INTEGER NOT NULL,
    file    TEXT,                       -- name below contents/, or null when the content is here
    content BLOB
  ) STRICT;
  CREATE INDEX received_contents_with_file ON received_contents (file) WHERE file IS NOT NULL;
  `,
  `
  -- contents is where content and facts of a message come to. Some time later they and the text are packed into zstd
  -- frames (see packing.ts), and then they are here instead.
  ALTER TABLE contents ADD COLUMN facts TEXT; -- null when they are in messages, as they were before
  CREATE TABLE packed (
    seq     INTEGER PRIMARY KEY,
    base    INTEGER,                    -- what the frames were made with, or null
    content BLOB,                       -- null when it has a file
    text    BLOB,                       -- null when there is none
    facts   BLOB
  ) STRICT;
  CREATE INDEX packed_by_base ON packed (base) WHERE base IS NOT NULL;

  -- Parts of earlier messages that frames were made with, packed by themselves.
  CREATE TABLE bases (base INTEGER PRIMARY KEY, content BLOB NOT NULL, text BLOB, facts BLOB) STRICT;
  -- The same once more, on other pages: many messages need them.
  CREATE TABLE base_copies (base INTEGER PRIMARY KEY, content BLOB NOT NULL, text BLOB, facts BLOB) STRICT;

  -- Texts for search apart from what lists show, so that room becomes free when they are packed. All mail is indexed again.
  DROP TABLE texts;
  CREATE TABLE texts (
    seq         INTEGER PRIMARY KEY,
    snippet     TEXT NOT NULL,
    attachments INTEGER NOT NULL,
    inline      INTEGER NOT NULL,
    file_names  TEXT NOT NULL           -- joined
  ) STRICT;
  CREATE TABLE search_texts (seq INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT; -- folded as words.ts folds
  DROP TABLE search;
  -- Columns with the most words come first: FTS5 then takes less room.
  CREATE VIRTUAL TABLE search USING fts5 (                -- see search-index.ts
    starts, body, header_values, envelope, recipients, subject, sender, message_id, header_names, marks, cc, bcc, reply_to,
    file_names, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  UPDATE totals SET indexed_to = 0;

  -- Every message up to this seq is packed, or not worth it.
  ALTER TABLE totals ADD COLUMN packed_to INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Who is told of mail that comes: see delivery-writer.ts.
  CREATE TABLE delivery_targets (
    target       INTEGER PRIMARY KEY,
    name         TEXT NOT NULL,
    inboxes      TEXT NOT NULL,           -- JSON of globs; [] is all
    is_active    INTEGER NOT NULL,
    most_waiting INTEGER NOT NULL,
    most_dead    INTEGER NOT NULL,
    waiting      INTEGER NOT NULL DEFAULT 0,
    dead         INTEGER NOT NULL DEFAULT 0,
    last         TEXT                     -- JSON: how the last attempt went
  ) STRICT;
  CREATE UNIQUE INDEX delivery_targets_by_name ON delivery_targets (name);
  CREATE TABLE deliveries (
    seq       INTEGER PRIMARY KEY,
    target    INTEGER NOT NULL,
    message   TEXT NOT NULL,              -- id
    inboxes   TEXT NOT NULL,              -- JSON of names
    summary   TEXT NOT NULL,              -- JSON: see journal.ts
    is_wanted INTEGER NOT NULL,
    attempts  INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,           -- milliseconds since 1970, as those below
    due_at    INTEGER NOT NULL,
    died_at   INTEGER,                    -- of a dead letter
    why       TEXT
  ) STRICT;
  CREATE INDEX deliveries_waiting ON deliveries (target, seq) WHERE died_at IS NULL;
  CREATE INDEX deliveries_dead ON deliveries (target, died_at) WHERE died_at IS NOT NULL;
  `,
  `
  -- Words that the mails of one kind have in common are in an index of their own, once: see shared-words.ts.
  CREATE TABLE kinds (
    kind   INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    runs   TEXT NOT NULL                -- JSON: for each column of the index, runs of words
  ) STRICT;
  ALTER TABLE texts ADD COLUMN kind INTEGER;
  CREATE INDEX texts_by_kind ON texts (kind) WHERE kind IS NOT NULL;
  CREATE VIRTUAL TABLE shared_search USING fts5 (
    starts, body, header_values, envelope, recipients, subject, sender, message_id, header_names, marks, cc, bcc, reply_to,
    file_names, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
  `,
  `
  -- The index has words of signatures by their beginnings only (see sealed-words.ts), which earlier versions do not know
  -- how to find. What they have indexed stays: it has more than is asked for.
  `,
  `
  -- What snippets of one kind have in common at their ends is kept once: so many characters of that of the kind come
  -- before and after what texts has (see rows.ts).
  ALTER TABLE kinds ADD COLUMN snippet TEXT NOT NULL DEFAULT '';
  ALTER TABLE texts ADD COLUMN snippet_before INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE texts ADD COLUMN snippet_after INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Messages with the same base are packed together: see blocks.ts. Those that are in packed stay there.
  CREATE TABLE blocks (
    block    INTEGER PRIMARY KEY,
    base     INTEGER NOT NULL,
    messages INTEGER NOT NULL,          -- that are in the store
    listed   BLOB NOT NULL
  ) STRICT;
  CREATE INDEX blocks_by_base ON blocks (base);
  -- Knows the base too: what is damaged in blocks then takes no contents with it.
  CREATE TABLE block_parts (block INTEGER PRIMARY KEY, base INTEGER NOT NULL, parts BLOB NOT NULL) STRICT;
  ALTER TABLE messages ADD COLUMN block INTEGER; -- with it the texts of lists are in the block, and empty here
  ALTER TABLE bases ADD COLUMN listed BLOB;
  ALTER TABLE base_copies ADD COLUMN listed BLOB;
  `,
  `
  -- Rows of events that are not the newest, many in one: see event-packer.ts.
  CREATE TABLE packed_events (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, batches BLOB NOT NULL) STRICT;
  -- Whether mail is of a kind its mark in the index tells.
  DROP INDEX texts_by_kind;
  -- The parts of a block in pieces of which many fit a page: so many of a whole frame would leave a tenth of it empty.
  CREATE TABLE block_pieces (
    piece INTEGER PRIMARY KEY,          -- 4096 for each block
    base  INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  INSERT INTO block_pieces SELECT block * 4096, base, parts FROM block_parts;
  DROP TABLE block_parts;
  `,
  `
  -- The index of words is a database of its own: see search-database.ts. All mail is indexed again.
  DROP TABLE search;
  DROP TABLE shared_search;
  -- Messages that were removed, and whose words and places are still to be: see gone.ts.
  CREATE TABLE gone (seq INTEGER PRIMARY KEY) STRICT;
  `,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Checks whose file it is and of which version.
 * @throws STORE_CORRUPT for another program's database, STORE_NEWER for a version this one does not know
 */
export function checkVersion(database: DatabaseSync, path: string, known: number = SCHEMA_VERSION): number {
  const version = pragma(database, 'user_version');
  const application = pragma(database, 'application_id');
  const isEmpty = pragma(database, 'schema_version') === 0;
  if (!isEmpty && application !== APPLICATION_ID) {
    throw new StoreError('STORE_CORRUPT', `${path} is a database of another program`);
  }
  if (version > known) {
    throw new StoreError(
      'STORE_NEWER',
      `${path} has schema version ${version}, this inboxd knows versions up to ${known}`,
    );
  }
  return version;
}

/** Brings a database to the newest version, in one transaction: all of it or nothing. */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[] = MIGRATIONS): void {
  const version = checkVersion(database, path, migrations.length);
  if (version >= migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of migrations.slice(version)) database.exec(step);
    // SQLite takes a new file for damaged that is much larger than what was ever written of it: what tables took that are
    // gone again
    if (version === 0) database.exec('PRAGMA incremental_vacuum');
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}
