-- A store as the first version wrote it: schema 1, two messages, the second read and sent over HTTP by kim.
PRAGMA application_id = 1768841848;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE contents (seq INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;
INSERT INTO "contents" VALUES(1,X'46726F6D3A2053656E646572203C73656E646572406578616D706C652E6F72673E0D0A546F3A20416E6E61203C616E6E61406578616D706C652E636F6D3E0D0A5375626A6563743A20416E206F6C64206D61696C0D0A0D0A776974682061207261726520776F72640D0A');
INSERT INTO "contents" VALUES(2,X'46726F6D3A2053656E646572203C73656E646572406578616D706C652E6F72673E0D0A546F3A20416E6E61203C616E6E61406578616D706C652E636F6D3E0D0A5375626A6563743A20416E6F746865720D0A0D0A6E6F7468696E6720696E2069740D0A');
CREATE TABLE inboxes (
    inbox    INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    messages INTEGER NOT NULL,
    unread   INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    newest   INTEGER NOT NULL           -- seq
  ) STRICT;
INSERT INTO "inboxes" VALUES(1,'anna@example.com',2,1,205,2);
INSERT INTO "inboxes" VALUES(2,'bob@example.com',1,1,106,1);
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
INSERT INTO "messages" VALUES(1,'01kahv1aaaaaaaaaaaaaaaaaa1',1795251357236,106,0,0,NULL,'','An old mail','Sender' || char(31) || 'sender@example.org','Anna' || char(31) || 'anna@example.com','','' || char(31) || 'bob@example.com','','sender@example.org' || char(30) || 'anna@example.com' || char(30) || 'bob@example.com','','{"from":"sender@example.org","fromParams":[],"to":[["anna@example.com","anna@example.com","",[]],["bob@example.com","bob@example.com","",[]]],"client":{"address":"192.0.2.1","port":4711,"hello":"client.example.org"},"protocol":"ESMTP","session":"session-1","transcript":["S: 220 ready","C: EHLO client.example.org","S: 250 OK"]}');
INSERT INTO "messages" VALUES(2,'01kahv1aaaaaaaaaaaaaaaaaa2',1795251357504,99,1,0,NULL,'','Another','Sender' || char(31) || 'sender@example.org','Anna' || char(31) || 'anna@example.com','','','','sender@example.org' || char(30) || 'anna@example.com','','{"from":"sender@example.org","fromParams":[["AUTH","kim"]],"to":[["anna@example.com","anna@example.com","",[]]],"client":{"address":"192.0.2.1","port":4711,"hello":"client.example.org"},"protocol":"HTTP","session":"session-1","transcript":["S: 220 ready","C: EHLO client.example.org","S: 250 OK"]}');
CREATE TABLE placements (inbox INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (inbox, seq)) STRICT, WITHOUT ROWID;
INSERT INTO "placements" VALUES(1,1);
INSERT INTO "placements" VALUES(2,1);
INSERT INTO "placements" VALUES(1,2);
CREATE TABLE texts (
    seq         INTEGER PRIMARY KEY,
    snippet     TEXT NOT NULL,
    attachments INTEGER NOT NULL,
    text        TEXT NOT NULL           -- folded as search.ts folds
  ) STRICT;
CREATE TABLE totals (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    messages   INTEGER NOT NULL,
    unread     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    file_bytes INTEGER NOT NULL,
    indexed_to INTEGER NOT NULL         -- every message up to this seq has its row in texts
  ) STRICT;
INSERT INTO "totals" VALUES(1,2,1,205,0,0);
CREATE UNIQUE INDEX messages_by_id ON messages (id);
CREATE INDEX messages_by_time ON messages (received_at);
CREATE INDEX messages_with_file ON messages (file) WHERE file IS NOT NULL;
CREATE UNIQUE INDEX inboxes_by_name ON inboxes (name);
CREATE INDEX placements_by_message ON placements (seq);
COMMIT;
