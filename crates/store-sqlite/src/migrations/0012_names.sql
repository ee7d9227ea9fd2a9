-- Names that came into other hands, and erasures that whoever accepts items must know of.

-- In how many hands a name was before it came into those in which it is: what is sealed for each has a key of its own.
ALTER TABLE identifier_seen ADD COLUMN hands INTEGER NOT NULL DEFAULT 0;

-- How often somebody was erased.
ALTER TABLE home ADD COLUMN erasures INTEGER NOT NULL DEFAULT 0;

-- More reasons for which a name is given up: 2 as many names as one may have, 3 sent by who may be anybody.
CREATE TABLE given_up_of_any (
  seq INTEGER NOT NULL,
  no INTEGER NOT NULL,
  namespace TEXT NOT NULL,
  reason INTEGER NOT NULL CHECK (reason >= 0),
  PRIMARY KEY (seq, no)
) STRICT, WITHOUT ROWID;
INSERT INTO given_up_of_any SELECT seq, no, namespace, reason FROM given_up;
DROP TABLE given_up;
ALTER TABLE given_up_of_any RENAME TO given_up;
