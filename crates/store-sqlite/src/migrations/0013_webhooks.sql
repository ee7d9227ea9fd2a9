-- Whom the home tells of what happens, and what they were told. Times are the wall clock's, but for "at".

-- An endpoint. What its owner says of it is a document; its secret lies nowhere, it is derived from a salt in there.
CREATE TABLE webhook (
  id TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  settings TEXT NOT NULL,
  paused_at INTEGER,
  paused_because TEXT,
  failing_since INTEGER,
  failures INTEGER NOT NULL,
  rest_until INTEGER
) STRICT, WITHOUT ROWID;

-- A message for an endpoint: ids and numbers, nothing personal. "state": 0 it waits, 1 it was taken, 2 it was tried in vain.
-- "due" is when it is tried next; while an attempt runs, when that is given up for lost.
CREATE TABLE webhook_message (
  no INTEGER PRIMARY KEY,
  endpoint TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  member BLOB,
  data TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  attempts INTEGER NOT NULL,
  due INTEGER NOT NULL,
  tried_at INTEGER,
  status INTEGER,
  error TEXT
) STRICT;
CREATE UNIQUE INDEX webhook_message_id ON webhook_message (endpoint, id);
CREATE INDEX webhook_message_of ON webhook_message (endpoint, no);
CREATE INDEX webhook_message_due ON webhook_message (endpoint, due, no) WHERE state = 0;
