-- Short links, each under the hash of its code, and how often it was followed (docs/links.md).
-- oldest: 2. (A program of before reads none, and leaves whom they name where they stand.)
-- A link leads to a page of the playbook, or to a target of its own. One with a message stands in something that was sent, or on
-- a poster; one without was made by hand.

CREATE TABLE link (
  id BLOB PRIMARY KEY,
  code TEXT NOT NULL,
  page TEXT NOT NULL,
  target TEXT NOT NULL,
  touchpoint TEXT,
  campaign TEXT,
  message TEXT,
  member BLOB,
  sharer BLOB,
  at INTEGER NOT NULL,
  until INTEGER,
  clicks INTEGER NOT NULL DEFAULT 0,
  scans INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX link_made ON link (at, id) WHERE message IS NULL;
CREATE INDEX link_of ON link (member) WHERE member IS NOT NULL;
CREATE INDEX link_by ON link (sharer) WHERE sharer IS NOT NULL;
