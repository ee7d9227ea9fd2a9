-- Who is whom. (A program of before knows nothing of merges: it works on as long as there are none, and a home merges only
-- where its playbook or a person says so, which that program does not read.)

-- Members who ended because they are another: "root" is who they are now, at any remove.
CREATE TABLE {home}.alias (
  member uuid PRIMARY KEY,
  root uuid NOT NULL,
  since bigint NOT NULL
);
CREATE INDEX alias_root ON {home}.alias (root);

-- Members whom somebody parted: they are not taken for one person again because of what they share. Both ways round.
CREATE TABLE {home}.apart (
  member uuid NOT NULL,
  other uuid NOT NULL,
  PRIMARY KEY (member, other)
);
