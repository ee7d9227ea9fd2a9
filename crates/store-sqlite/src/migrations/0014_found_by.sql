-- What members are found by: keyed hashes of how their names begin, and of who looks after them (decide::naming). oldest: 2.
-- A program of before knows nothing of it: who changes their name under one is found by it once the index is built anew, and
-- nothing refers to `member` here, because it deletes members who were merged.
CREATE TABLE found_by (
  key INTEGER NOT NULL,
  member INTEGER NOT NULL,
  PRIMARY KEY (key, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX found_by_member ON found_by (member);
