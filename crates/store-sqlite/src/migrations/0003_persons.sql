-- Who is whom. oldest: 2. (A program of before knows nothing of merges: it works on as long as there are none, and a home
-- merges only where its playbook or a person says so, which that program does not read.)

-- Members who ended because they are another: "root" is who they are now, at any remove.
CREATE TABLE alias (
  member BLOB PRIMARY KEY,
  root BLOB NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_root ON alias (root);

-- Members whom somebody parted: they are not taken for one person again because of what they share. Both ways round.
CREATE TABLE apart (
  member BLOB NOT NULL,
  other BLOB NOT NULL,
  PRIMARY KEY (member, other)
) STRICT, WITHOUT ROWID;

CREATE INDEX hold_member ON hold (member);
