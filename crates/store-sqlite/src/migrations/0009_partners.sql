-- What passed between the brand and its partners (docs/partners.md): deed 0 brought somebody new, 1 brought somebody known,
-- 2 sent, 3 used there.

CREATE TABLE partner_move (
  no INTEGER PRIMARY KEY,
  member BLOB NOT NULL,
  partner TEXT NOT NULL,
  deed INTEGER NOT NULL CHECK (deed BETWEEN 0 AND 3),
  at INTEGER NOT NULL,
  event INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT;
