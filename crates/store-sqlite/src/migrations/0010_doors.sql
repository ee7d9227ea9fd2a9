-- What the door knows of names beside whose they are.

-- When a name was seen last that is believed for a time only; a name that is not here was seen when it was attached.
CREATE TABLE identifier_seen (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 16),
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Names of items that were given up, without their values. "reason": 0 somebody else's, 1 beyond a limit.
CREATE TABLE given_up (
  -- The item's place, and which of those it gave up.
  seq INTEGER NOT NULL,
  no INTEGER NOT NULL,
  namespace TEXT NOT NULL,
  reason INTEGER NOT NULL CHECK (reason BETWEEN 0 AND 1),
  PRIMARY KEY (seq, no)
) STRICT, WITHOUT ROWID;
