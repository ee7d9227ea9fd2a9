-- Draws: how each stands, and its closed list in parts (docs/draws.md).
-- oldest: 2.

CREATE TABLE draw (
  name TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE draw_part (
  list BLOB NOT NULL,
  part INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (list, part)
) STRICT, WITHOUT ROWID;
