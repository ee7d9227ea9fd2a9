-- What members are found by: keyed hashes of how their names begin, and of who looks after them (decide::naming). oldest: 1.
-- (A program of before knows nothing of it: who changes their name under one is found by it once the index is built anew.)
CREATE TABLE {shard}.found_by (
  key bigint NOT NULL,
  member uuid NOT NULL,
  PRIMARY KEY (key, member)
);
CREATE INDEX found_by_member ON {shard}.found_by (member);
