-- What platforms last showed, and what a home made there (docs/wecom-mirror.md).
-- oldest: 2. (A program of before sees nothing there and leaves these rows as they are.)
-- Times are the wall clock's. A body is sealed under what "about" names.

CREATE TABLE reflection (
  id BLOB NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL CHECK (version > 0),
  kind TEXT NOT NULL,
  part BLOB NOT NULL,
  due INTEGER,
  about BLOB NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX reflection_part ON reflection (kind, part, id);
CREATE INDEX reflection_due ON reflection (kind, due, id) WHERE due IS NOT NULL;
CREATE INDEX reflection_about ON reflection (about);
