-- Lists of members that were uploaded by hand. oldest: 2. (A program of before leaves them as they are: who is erased or parted
-- by it stays as they were on lists until the newer one says otherwise, and it refuses conditions that name a list.)

CREATE TABLE list (
  no INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  made_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  -- Counts uploads: an earlier one that is still at work says nothing more.
  round INTEGER NOT NULL
) STRICT;

-- Who is on one: "named" is the look-up hash of the name by which they were found, "member" whose it was then, who may be
-- another by now (alias), "round" the last upload that said so.
CREATE TABLE listed (
  list INTEGER NOT NULL,
  named BLOB NOT NULL,
  member BLOB NOT NULL,
  round INTEGER NOT NULL,
  PRIMARY KEY (list, named)
) STRICT, WITHOUT ROWID;
CREATE INDEX listed_member ON listed (member, list);
