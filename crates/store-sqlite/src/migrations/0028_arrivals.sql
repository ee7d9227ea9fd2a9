-- What came from platforms, kept before whoever brought it is answered (docs/wecom-callbacks.md).
-- oldest: 2. (A program of before takes nothing in and leaves these rows as they are.)
-- States: 0 waiting, 1 done, 2 failed, 3 dropped. Times are the wall clock's. A body is sealed under what "about" names.

CREATE TABLE arrival (
  id BLOB NOT NULL UNIQUE,
  channel TEXT NOT NULL,
  lane TEXT NOT NULL,
  at INTEGER NOT NULL,
  about BLOB NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
  tries INTEGER NOT NULL,
  due INTEGER NOT NULL,
  why TEXT,
  body BLOB NOT NULL
) STRICT;
CREATE INDEX arrival_due ON arrival (channel, lane, due, id) WHERE state = 0;
CREATE INDEX arrival_in ON arrival (state, at, id);
CREATE INDEX arrival_at ON arrival (at, id);
CREATE INDEX arrival_about ON arrival (about);
