-- Likely doubles, for somebody to look at. Evidence names fields and how they agree, no values of people.

CREATE TABLE suggestion (
  no INTEGER PRIMARY KEY,
  -- The lower id and the other.
  one BLOB NOT NULL CHECK (length(one) = 16),
  other BLOB NOT NULL CHECK (length(other) = 16 AND other > one),
  score_ppm INTEGER NOT NULL CHECK (score_ppm BETWEEN 0 AND 1000000),
  evidence TEXT NOT NULL,
  -- 0 open, 1 merged, 2 different: what was decided is never suggested again.
  state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
  found_at INTEGER NOT NULL,
  decided_by TEXT,
  decided_at INTEGER,
  CHECK ((state = 0) = (decided_at IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
  UNIQUE (one, other)
) STRICT;

CREATE INDEX suggestion_likeliest ON suggestion (state, score_ppm DESC, no);
