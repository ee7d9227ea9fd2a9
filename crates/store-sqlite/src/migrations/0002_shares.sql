-- Shares and who holds them, names settled at the door, places that say their month, the change feed.
-- oldest: 2. (A program of before finds the home's cursor where it no longer moves.)

-- One file has one share: one process works on it at a time. Taking it raises its token; a flush names token and batch, or
-- is refused. home.batch and home.cursor are no longer used.
CREATE TABLE slot (
  slot INTEGER PRIMARY KEY,
  holder TEXT,
  token INTEGER NOT NULL DEFAULT 0,
  batch INTEGER NOT NULL DEFAULT 0,
  cursor INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO slot (slot, batch, cursor) SELECT 0, batch, cursor FROM home;

-- The last place given to an event: a place says its month of acceptance (store::turn::place).
ALTER TABLE home ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
UPDATE home SET last = COALESCE((SELECT MAX(seq) FROM event), 0);

-- Whom an event is about, and whom else its decision may reach. What was accepted before has neither: its decision finds
-- out.
ALTER TABLE event ADD COLUMN member BLOB;
ALTER TABLE event ADD COLUMN reached BLOB;

-- The inbox row that a derived event comes from, and after which it is decided.
ALTER TABLE queue ADD COLUMN after INTEGER NOT NULL DEFAULT 0;

-- The change feed: one row a batch, while somebody follows it.
CREATE TABLE feed (
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  members BLOB NOT NULL,
  events BLOB NOT NULL
) STRICT;
CREATE TABLE consumer (
  name TEXT PRIMARY KEY,
  no INTEGER NOT NULL
) STRICT;

-- Months of events that were moved to files.
CREATE TABLE archive (
  month INTEGER PRIMARY KEY,
  file TEXT NOT NULL,
  events INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
