-- Campaigns: a member's runs in their row, what happened in them, and what was said to members (docs/campaigns.md).
-- oldest: 2. (A program of before leaves the column as it is, and runs where they stand.)
-- States of what was said: 0 open, 1 seen, 2 done.

ALTER TABLE member ADD COLUMN runs BLOB;

CREATE TABLE run_move (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  campaign TEXT NOT NULL,
  run BLOB NOT NULL,
  kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 12),
  place TEXT NOT NULL,
  why TEXT NOT NULL,
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
CREATE INDEX run_move_of ON run_move (member, no);
CREATE TRIGGER run_move_stays BEFORE UPDATE ON run_move BEGIN SELECT RAISE(ABORT, 'a move of a run is never changed'); END;
CREATE TRIGGER run_move_remains BEFORE DELETE ON run_move BEGIN SELECT RAISE(ABORT, 'a move of a run is never deleted'); END;

CREATE TABLE outbox (
  id BLOB PRIMARY KEY,
  member BLOB NOT NULL,
  channel TEXT NOT NULL,
  campaign TEXT NOT NULL,
  message TEXT NOT NULL,
  at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  cause BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_of ON outbox (member, at);
CREATE INDEX outbox_open ON outbox (channel, at) WHERE state = 0;
