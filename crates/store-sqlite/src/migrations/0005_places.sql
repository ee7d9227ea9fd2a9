-- The brand's tree: places, how they were before, and who works there.
-- oldest: 2. (A program of before knows nothing of it and touches none of it.)

-- "document" is all that is known of a place beside its place in the tree (model::place::About). "since" is when it was last
-- changed, in business time.
CREATE TABLE place (
  code TEXT PRIMARY KEY,
  parent TEXT,
  kind TEXT NOT NULL,
  document TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every change of a place: when, who, and what it was until then (nothing, if it was new).
CREATE TABLE place_history (
  no INTEGER PRIMARY KEY,
  code TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  was TEXT
) STRICT;
CREATE INDEX place_history_code ON place_history (code);

-- "name" is sealed; "since" and "until" are days, first and last.
CREATE TABLE staff (
  place TEXT NOT NULL,
  code TEXT NOT NULL,
  name BLOB NOT NULL,
  role TEXT NOT NULL,
  since INTEGER,
  until INTEGER,
  PRIMARY KEY (place, code)
) STRICT, WITHOUT ROWID;

-- Moves with every change, so that whoever holds the tree in memory knows when to read it anew.
CREATE TABLE place_tree (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
) STRICT;
INSERT INTO place_tree (one, version) VALUES (1, 0);
