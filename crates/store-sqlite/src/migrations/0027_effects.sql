-- What campaigns change (docs/effects.md): arms of experiments are moves of runs, and who was assigned is found by campaign.
-- oldest: 2. (A program of before writes no moves.)

CREATE TABLE run_move_now (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  campaign TEXT NOT NULL,
  run BLOB NOT NULL,
  kind INTEGER NOT NULL CHECK (kind >= 0),
  place TEXT NOT NULL,
  why TEXT NOT NULL,
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
INSERT INTO run_move_now (no, member, campaign, run, kind, place, why, at, event, version)
  SELECT no, member, campaign, run, kind, place, why, at, event, version FROM run_move;
DROP TABLE run_move;
ALTER TABLE run_move_now RENAME TO run_move;
CREATE INDEX run_move_of ON run_move (member, no);
CREATE TRIGGER run_move_stays BEFORE UPDATE ON run_move BEGIN SELECT RAISE(ABORT, 'a move of a run is never changed'); END;
CREATE TRIGGER run_move_remains BEFORE DELETE ON run_move BEGIN SELECT RAISE(ABORT, 'a move of a run is never deleted'); END;

-- Begun runs: who was assigned, in the order of members.
CREATE INDEX run_move_begun ON run_move (campaign, member) WHERE kind = 0;
