-- People who sign in, and their sessions (docs/sign-in.md).
-- oldest: 2. Times are the wall clock's, in microseconds.

-- Who they are lies in the state, as JSON; the name is folded, and nobody else ever bears it.
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  revision INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  owns INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT;

-- A session, found by the hash of its token.
CREATE TABLE person_session (
  hash BLOB PRIMARY KEY,
  person TEXT NOT NULL,
  began_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_session_of ON person_session (person, until);
CREATE INDEX person_session_lapses ON person_session (until);
